// Adaptive binary range coder with carry (Martin 1979, in the form of LZMA). Integers only, so
// every machine decodes the same bits. The leading zero byte and trailing zero bytes are not
// stored.
//
// The coders of this page and of plain_coder.hpp have the same calls, so that one template
// describes both directions: `bit` takes the bit and returns it; a decoder ignores what it takes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

namespace espalier::format {

// An adaptive probability that a bit is 1: the estimator of Krichevsky and Trofimov (1981) with a
// prior. p moves toward each bit by 1 / (count + weight + 1), which is what the quotient
// (ones + weight * prior) / (count + weight) does, and by 1 / 320 once count + weight reaches 319.
// Weights are in halves: BitModel(1 / 2, 2) is the classical estimator.
class BitModel {
 public:
  BitModel() = default;
  // `prior` in 1/65536; `half_weight` in 1..637.
  constexpr BitModel(std::uint32_t prior, std::uint32_t half_weight)
      : p1_(prior << 16), rate_(half_weight) {}

  // P(bit = 1), in 1/65536, in [32, 65504].
  std::uint32_t p1() const { return std::clamp(p1_ >> 16, 32u, 65504u); }
  void update(bool bit) {
    const std::uint64_t distance = bit ? ~p1_ : p1_;
    const auto move = static_cast<std::uint32_t>((distance * kRates[rate_]) >> 16);
    p1_ = bit ? p1_ + move : p1_ - move;
    if (rate_ < kLastRate) rate_ += 2;
  }
  // What was learned weighs at most four bits from here on.
  void forget() { rate_ = std::min(rate_, 8u); }

 private:
  static constexpr std::uint32_t kLastRate = 638;
  static constexpr auto kRates = [] {  // 65536 / (half_weight / 2 + 1)
    std::array<std::uint32_t, kLastRate + 2> rates{};
    for (std::uint32_t i = 0; i < rates.size(); ++i) rates[i] = (2u << 16) / (i + 2);
    return rates;
  }();
  std::uint32_t p1_ = 1u << 31, rate_ = 2;
};

// One symbol of a fixed distribution: [first, first + count) of 2^14.
struct Share {
  std::uint32_t first = 0, count = 0;
};
constexpr int kShareBits = 14;

class RangeEncoder {
 public:
  static constexpr bool kDecodes = false, kPlain = false;
  bool bit(BitModel& model, bool value);
  std::uint32_t raw(int count_bits, std::uint32_t value);  // equiprobable bits, at most 32
  void share(Share share);
  Bytes finish();

 private:
  void normalize();
  void shift();
  std::uint64_t low_ = 0, pending_ = 0;
  std::uint32_t range_ = 0xFFFFFFFFu;
  std::uint8_t cache_ = 0;
  Bytes bytes_;
};

class RangeDecoder {
 public:
  static constexpr bool kDecodes = true, kPlain = false;
  explicit RangeDecoder(std::span<const std::uint8_t> bytes);
  bool bit(BitModel& model, bool = false) {
    const std::uint32_t bound = (range_ >> 16) * (65536 - model.p1());
    const bool value = code_ >= bound;
    code_ -= value ? bound : 0;
    range_ = value ? range_ - bound : bound;
    model.update(value);
    normalize();
    return value;
  }
  std::uint32_t raw(int count_bits, std::uint32_t = 0);
  // Where in 2^14 the next symbol lies; then `share` takes that symbol.
  std::uint32_t place() const {
    return std::min(code_ / (range_ >> kShareBits), (1u << kShareBits) - 1);
  }
  void share(Share share) {
    range_ >>= kShareBits;
    code_ -= range_ * share.first;
    range_ *= share.count;
    // As normalize(), without a branch that nobody can predict.
    const int bytes = std::countl_zero(range_) / 8;
    range_ <<= 8 * bytes;
    code_ = static_cast<std::uint32_t>((std::uint64_t{code_} << 32 | ahead()) >> (32 - 8 * bytes));
    position_ = std::min(position_ + static_cast<std::size_t>(bytes), bytes_.size());
  }
  // No stored byte is left over and the last one is not zero.
  bool at_end() const;
  // How many bytes, from the first, are not looked at again but by at_end().
  std::size_t bytes_read() const { return position_; }

 private:
  void normalize() {
    while (range_ < (1u << 24)) {
      range_ <<= 8;
      code_ = (code_ << 8) | next();
    }
  }
  // The next four bytes, the first one highest; zeros past the end.
  std::uint32_t ahead() const {
    if (position_ + 4 > bytes_.size()) {
      std::uint32_t value = 0;
      for (std::size_t i = position_; i < position_ + 4; ++i)
        value = (value << 8) | (i < bytes_.size() ? bytes_[i] : 0u);
      return value;
    }
    const std::uint8_t* b = bytes_.data() + position_;
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
  }
  std::uint32_t next() { return position_ < bytes_.size() ? bytes_[position_++] : 0u; }
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  std::uint32_t code_ = 0, range_ = 0xFFFFFFFFu;
};

}  // namespace espalier::format
