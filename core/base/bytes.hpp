// Checked readers and writers over bytes, little-endian, and checksums.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace espalier {

using Bytes = std::vector<std::uint8_t>;

// CRC-32 of zlib and PNG (polynomial 0xEDB88320, reflected). Pass the last result as `crc` to go on.
std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0);

// CRC-16 of X.25's generator (x^16 + x^12 + x^5 + 1, high bit first, from 0xFFFF).
std::uint16_t crc16(std::span<const std::uint8_t> bytes);

// Reads from a span; every read past the end fails with ErrorKind::kCorrupt and names the file.
class ByteReader {
 public:
  ByteReader(std::span<const std::uint8_t> bytes, std::string name)
      : bytes_(bytes), name_(std::move(name)) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  const std::string& name() const { return name_; }

  std::uint8_t u8() { return take(1)[0]; }
  std::uint32_t u32_big_endian();
  std::uint32_t u32();
  float f32() { return std::bit_cast<float>(u32()); }
  std::span<const std::uint8_t> take(std::size_t count);

  // Fails as corrupt, naming the file and the position.
  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, ErrorKind::kCorrupt, name_, parts..., " (at byte ", position_, ")");
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  std::string name_;
};

class ByteWriter {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u32(std::uint32_t value);
  void f32(float value) { u32(std::bit_cast<std::uint32_t>(value)); }
  void raw(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  const Bytes& bytes() const { return bytes_; }
  Bytes release() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace espalier
