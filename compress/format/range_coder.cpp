#include "compress/format/range_coder.hpp"

namespace espalier::format {

// Of the interval, 0 is the lower part.
bool RangeEncoder::bit(BitModel& model, bool value) {
  const std::uint32_t bound = (range_ >> 16) * (65536 - model.p1());
  low_ += value ? bound : 0;
  range_ = value ? range_ - bound : bound;
  model.update(value);
  normalize();
  return value;
}

std::uint32_t RangeEncoder::raw(int count_bits, std::uint32_t value) {
  for (int left = count_bits; left > 0;) {
    const int now = std::min(left, 12);
    left -= now;
    range_ >>= now;
    low_ += std::uint64_t{range_} * ((value >> left) & ((1u << now) - 1));
    normalize();
  }
  return value;
}

void RangeEncoder::share(Share share) {
  range_ >>= kShareBits;
  low_ += std::uint64_t{range_} * share.first;
  range_ *= share.count;
  normalize();
}

void RangeEncoder::normalize() {
  while (range_ < (1u << 24)) {
    range_ <<= 8;
    shift();
  }
}

// Moves the top byte of `low_` out; a run of 0xFF waits until the carry is known.
void RangeEncoder::shift() {
  if (low_ < 0xFF000000ull || low_ > 0xFFFFFFFFull) {
    const auto carry = static_cast<std::uint8_t>(low_ >> 32);
    bytes_.push_back(static_cast<std::uint8_t>(cache_ + carry));
    for (; pending_ > 0; --pending_) bytes_.push_back(static_cast<std::uint8_t>(0xFF + carry));
    cache_ = static_cast<std::uint8_t>(low_ >> 24);
  } else {
    ++pending_;
  }
  low_ = (low_ & 0x00FFFFFFull) << 8;
}

Bytes RangeEncoder::finish() {
  // The value in [low, low + range) with the most trailing zeros.
  const std::uint64_t last = low_ + range_ - 1;
  for (int zeros = 32; zeros >= 0; --zeros) {
    const std::uint64_t mask = (1ull << zeros) - 1, value = (low_ + mask) & ~mask;
    if (value <= last) {
      low_ = value;
      break;
    }
  }
  for (int i = 0; i < 5; ++i) shift();
  bytes_.erase(bytes_.begin());  // the first cached byte is always zero
  while (!bytes_.empty() && bytes_.back() == 0) bytes_.pop_back();
  return std::move(bytes_);
}

RangeDecoder::RangeDecoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
  for (int i = 0; i < 4; ++i) code_ = (code_ << 8) | next();
}

std::uint32_t RangeDecoder::raw(int count_bits, std::uint32_t) {
  std::uint32_t value = 0;
  for (int left = count_bits; left > 0;) {
    const int now = std::min(left, 12);
    left -= now;
    range_ >>= now;
    const std::uint32_t part = std::min(code_ / range_, (1u << now) - 1);
    code_ -= part * range_;
    value = (value << now) | part;
    normalize();
  }
  return value;
}

bool RangeDecoder::at_end() const {
  return position_ >= bytes_.size() && (bytes_.empty() || bytes_.back() != 0);
}

}  // namespace espalier::format
