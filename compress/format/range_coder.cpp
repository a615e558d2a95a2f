#include "compress/format/range_coder.hpp"

#include <algorithm>

namespace espalier::format {
namespace {
constexpr std::uint32_t kTop = 1u << 24;
constexpr std::uint32_t kCountLimit = 1024;
}  // namespace

std::uint32_t BitModel::p0() const {
  return std::clamp(((2 * zeros_ + 1) << 16) / (2 * (zeros_ + ones_) + 2), 32u, 65504u);
}

void BitModel::update(bool bit) {
  ++(bit ? ones_ : zeros_);
  if (zeros_ + ones_ >= kCountLimit) {
    zeros_ /= 2;
    ones_ /= 2;
  }
}

bool RangeEncoder::bit(BitModel& model, bool value) {
  narrow((range_ >> 16) * model.p0(), value);
  model.update(value);
  return value;
}

std::uint32_t RangeEncoder::raw(int count_bits, std::uint32_t value) {
  for (int i = count_bits - 1; i >= 0; --i) narrow(range_ >> 1, (value >> i) & 1);
  return value;
}

void RangeEncoder::narrow(std::uint32_t bound, bool value) {
  if (value) {
    low_ += bound;
    range_ -= bound;
  } else {
    range_ = bound;
  }
  while (range_ < kTop) {
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

bool RangeDecoder::bit(BitModel& model, bool) {
  const bool value = narrow((range_ >> 16) * model.p0());
  model.update(value);
  return value;
}

std::uint32_t RangeDecoder::raw(int count_bits, std::uint32_t) {
  std::uint32_t value = 0;
  for (int i = 0; i < count_bits; ++i) value = (value << 1) | (narrow(range_ >> 1) ? 1u : 0u);
  return value;
}

bool RangeDecoder::at_end() const {
  return position_ >= bytes_.size() && (bytes_.empty() || bytes_.back() != 0);
}

bool RangeDecoder::narrow(std::uint32_t bound) {
  const bool value = code_ >= bound;
  if (value) {
    code_ -= bound;
    range_ -= bound;
  } else {
    range_ = bound;
  }
  while (range_ < kTop) {
    range_ <<= 8;
    code_ = (code_ << 8) | next();
  }
  return value;
}

std::uint32_t RangeDecoder::next() {
  return position_ < bytes_.size() ? bytes_[position_++] : 0u;
}

}  // namespace espalier::format
