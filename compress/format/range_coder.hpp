// Adaptive binary range coder with carry (Martin 1979, in the form of LZMA). Integers only, so
// every machine decodes the same bits. The leading zero byte and trailing zero bytes are not
// stored.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

namespace espalier::format {

// P(bit = 0) = (2 * zeros + 1) / (2 * (zeros + ones) + 2), in 1/65536 (Krichevsky & Trofimov 1981).
// Both counts are halved when their sum reaches 1024.
class BitModel {
 public:
  std::uint32_t p0() const;  // in [32, 65504]
  void update(bool bit);

 private:
  std::uint32_t zeros_ = 0, ones_ = 0;
};

// Encoder and decoder have the same calls, so that one template describes both directions: `bit`
// takes the bit and returns it; the decoder ignores what it takes.
class RangeEncoder {
 public:
  bool bit(BitModel& model, bool value);
  std::uint32_t raw(int count_bits, std::uint32_t value);  // equiprobable bits, high first
  Bytes finish();

 private:
  void narrow(std::uint32_t bound, bool value);
  void shift();
  std::uint64_t low_ = 0, pending_ = 0;
  std::uint32_t range_ = 0xFFFFFFFFu;
  std::uint8_t cache_ = 0;
  Bytes bytes_;
};

class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::uint8_t> bytes);
  bool bit(BitModel& model, bool = false);
  std::uint32_t raw(int count_bits, std::uint32_t = 0);
  // No stored byte is left over and the last one is not zero.
  bool at_end() const;

 private:
  bool narrow(std::uint32_t bound);
  std::uint32_t next();
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  std::uint32_t code_ = 0, range_ = 0xFFFFFFFFu;
};

}  // namespace espalier::format
