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

// Appends the checksum over what is there, low byte first.
inline void seal(ByteWriter& out) {
  if (out.bytes().size() + 2 < kShortFile) {
    const std::uint16_t crc = crc16(out.bytes());
    out.u8(static_cast<std::uint8_t>(crc & 0xFF));
    out.u8(static_cast<std::uint8_t>(crc >> 8));
  } else {
    out.u32(crc32(out.bytes()));
  }
}

}  // namespace espalier::format
