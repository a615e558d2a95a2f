// The plain twins of the range coder: every decision is stored as one bit, low bit of a byte first,
// whatever its model says. A reader of it needs neither probabilities nor a range. And a coder that
// writes nothing and adds up what the range coder would need.
#pragma once

#include <cmath>

#include "compress/format/range_coder.hpp"

namespace espalier::format {

class PlainEncoder {
 public:
  static constexpr bool kDecodes = false, kPlain = true;
  bool bit(const BitModel&, bool value) {
    if (filled_ % 8 == 0) bytes_.push_back(0);
    bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (value ? 1u << filled_ % 8 : 0u));
    ++filled_;
    return value;
  }
  std::uint32_t raw(int count_bits, std::uint32_t value) {
    for (int i = count_bits - 1; i >= 0; --i) bit({}, (value >> i) & 1);
    return value;
  }
  Bytes finish() { return std::move(bytes_); }
  double bits() const { return static_cast<double>(filled_); }

 private:
  std::size_t filled_ = 0;
  Bytes bytes_;
};

// Past the end it reads zeros, as the range decoder does.
class PlainDecoder {
 public:
  static constexpr bool kDecodes = true, kPlain = true;
  explicit PlainDecoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool bit(const BitModel&, bool = false) {
    const std::size_t i = taken_++;
    return i / 8 < bytes_.size() && ((bytes_[i / 8] >> (i % 8)) & 1);
  }
  std::uint32_t raw(int count_bits, std::uint32_t = 0) {
    std::uint32_t value = 0;
    for (int i = 0; i < count_bits; ++i) value = (value << 1) | (bit({}) ? 1u : 0u);
    return value;
  }
  bool at_end() const { return (taken_ + 7) / 8 == bytes_.size(); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t taken_ = 0;
};

// Bits that a RangeEncoder spends, to about a thousandth.
class BitCounter {
 public:
  static constexpr bool kDecodes = false, kPlain = false;
  bool bit(BitModel& model, bool value) {
    bits_ -= std::log2(value ? model.p1() : 65536 - model.p1()) - 16;
    model.update(value);
    return value;
  }
  std::uint32_t raw(int count_bits, std::uint32_t value) {
    bits_ += count_bits;
    return value;
  }
  void share(Share share) { bits_ += kShareBits - std::log2(share.count); }
  double bits() const { return bits_; }

 private:
  double bits_ = 0;
};

}  // namespace espalier::format
