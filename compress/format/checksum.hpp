// The first byte of an .esp file and its checksum.
#pragma once

#include "core/base/bytes.hpp"

namespace espalier::format {

// 2 is written for models that 1 cannot store (16-bit floats, levels as weights of float layers,
// float layers between integer ones) or not in as few bytes (weights of few distinct values,
// palette.hpp), 3 for those with branches, depthwise convolutions or scaled columns.
constexpr int kOldestVersion = 1, kNewestVersion = 3;

enum class Coding : std::uint8_t { kPlain = 0, kRange = 1 };

// 0xE, then three bits of version, then one of coding.
constexpr std::uint8_t first_byte(int version, Coding coding) {
  return static_cast<std::uint8_t>(0xE0 | version << 1 | static_cast<int>(coding));
}
constexpr int version_of(std::uint8_t first) {
  return (first >> 1) & 7;
}

// CRC-16 in files below 4096 bytes: it finds every change of up to three bits there (its generator
// has that distance up to 32,767 bits), of any odd number of bits, and every burst of up to 16
// bits; of all others it misses one in 65,536. CRC-32 in larger ones.
constexpr std::size_t kShortFile = 4096;
constexpr std::size_t checksum_bytes(std::size_t file_bytes) {
  return file_bytes < kShortFile ? 2 : 4;
}
constexpr std::size_t checksum_bytes_after(std::size_t body_bytes) {
  return checksum_bytes(body_bytes + 2);
}

// Of all that stands before it; it is stored low byte first.
inline std::uint32_t checksum(std::span<const std::uint8_t> body) {
  return checksum_bytes_after(body.size()) == 2 ? crc16(body) : crc32(body);
}

// Appends the checksum over what is there.
inline void seal(ByteWriter& out) {
  const std::uint32_t sum = checksum(out.bytes());
  const std::size_t bytes = checksum_bytes_after(out.bytes().size());
  for (std::size_t i = 0; i < bytes; ++i) out.u8(static_cast<std::uint8_t>(sum >> 8 * i));
}

// Whether `file`, of four bytes at least, ends in the checksum that seal() gives it.
inline bool is_sealed(std::span<const std::uint8_t> file) {
  const std::size_t bytes = checksum_bytes(file.size()), body = file.size() - bytes;
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < bytes; ++i) stored |= std::uint32_t{file[body + i]} << 8 * i;
  return bytes == checksum_bytes_after(body) && stored == checksum(file.first(body));
}

}  // namespace espalier::format
