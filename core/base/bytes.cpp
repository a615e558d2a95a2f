#include "core/base/bytes.hpp"

#include <array>

namespace espalier {

// Eight bytes at once ("slicing-by-8", Kounavis and Berry 2005): table k is what a byte does that k
// more follow.
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc) {
  static constexpr auto kTables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) ? 0xEDB88320u : 0u);
      tables[0][i] = c;
    }
    for (std::size_t k = 1; k < tables.size(); ++k)
      for (std::size_t i = 0; i < 256; ++i)
        tables[k][i] = tables[0][tables[k - 1][i] & 0xff] ^ (tables[k - 1][i] >> 8);
    return tables;
  }();
  crc = ~crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint32_t next = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      const std::uint32_t mixed = k < 4 ? bytes[k] ^ ((crc >> 8 * k) & 0xff) : bytes[k];
      next ^= kTables[7 - k][mixed];
    }
    crc = next;
  }
  for (const std::uint8_t byte : bytes) crc = kTables[0][(crc ^ byte) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint16_t crc16(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFF;
  for (const std::uint32_t byte : bytes) {
    crc ^= byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) ? 0x11021u : 0u);
  }
  return static_cast<std::uint16_t>(crc);
}

std::span<const std::uint8_t> ByteReader::take(std::size_t count) {
  check(count <= remaining(), "truncated: wants ", count, " more bytes, has ", remaining());
  const auto part = bytes_.subspan(position_, count);
  position_ += count;
  return part;
}

std::uint32_t ByteReader::u32() {
  const auto b = take(4);
  return std::uint32_t{b[0]} | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 |
         std::uint32_t{b[3]} << 24;
}

std::uint32_t ByteReader::u32_big_endian() {
  const auto b = take(4);
  return std::uint32_t{b[3]} | std::uint32_t{b[2]} << 8 | std::uint32_t{b[1]} << 16 |
         std::uint32_t{b[0]} << 24;
}

void ByteWriter::u32(std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) u8(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace espalier
