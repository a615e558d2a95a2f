// How the values of a record become bits, one template for all coders: whole numbers, scales, float
// vectors, text. FORMAT.md has the same as tables.
#pragma once

#include <array>
#include <bit>
#include <span>
#include <string>

#include "compress/format/range_coder.hpp"

namespace espalier::format {

// In a decoder the field takes the value; in an encoder, whose fields may be const, it has it.
template <class T, class Value>
void set(T& field, Value value) {
  if constexpr (!std::is_const_v<T>) field = static_cast<T>(value);
}

// P(bit = 1) about 1/16 and 15/16: flags that common networks leave alone. P(bit = 1) = 1/2.
constexpr BitModel kRarely{4096, 4}, kMostly{61440, 4}, kEvenly{32768, 2};

// n >= 1: floor(log2 n) in unary, a model a step, at most 32 steps; then the bits below the leading
// one, raw.
struct NumberModel {
  std::array<BitModel, 32> more;
  // Sizes in [2^usual, 2^(usual + 2)) cost least.
  static NumberModel around(std::size_t usual) {
    NumberModel model;
    for (std::size_t i = 0; i < usual; ++i) model.more[i] = kMostly;
    return model;
  }
};
template <class Coder>
std::uint64_t code_number(Coder& coder, NumberModel& model, std::uint64_t n) {
  int size = 0;
  while (size < 32 && coder.bit(model.more[static_cast<std::size_t>(size)], (n >> size) > 1))
    ++size;
  const auto low = static_cast<std::uint32_t>(n & ((std::uint64_t{1} << size) - 1));
  return (std::uint64_t{1} << size) | coder.raw(size, low);
}

// 0: one flag. Otherwise the sign, then the magnitude.
struct SignedModel {
  BitModel nonzero, negative;
  NumberModel magnitude;
  void forget() {
    nonzero.forget(), negative.forget();
    for (auto& m : magnitude.more) m.forget();
  }
};
template <class Coder>
std::int64_t code_signed(Coder& coder, SignedModel& model, std::int64_t v) {
  if (!coder.bit(model.nonzero, v != 0)) return 0;
  const bool negative = coder.bit(model.negative, v < 0);
  const auto magnitude = static_cast<std::int64_t>(
      code_number(coder, model.magnitude, static_cast<std::uint64_t>(v < 0 ? -v : v)));
  return negative ? -magnitude : magnitude;
}

// Eight bits, high bit first, through a tree of 255 models.
using ByteModel = std::array<BitModel, 256>;
template <class Coder>
std::uint8_t code_byte(Coder& coder, ByteModel& model, unsigned byte) {
  std::uint32_t node = 1;
  for (int bit = 7; bit >= 0; --bit)
    node = (node << 1) | (coder.bit(model[node], (byte >> bit) & 1) ? 1u : 0u);
  return static_cast<std::uint8_t>(node);
}

// A positive float (1 + m) * 2^e. The fewer bits m has, the fewer it takes: how many they are in
// unary, up to four, and then all but the last one, which is 1; five stands for all 23. The
// exponent as a difference to the last one's; the first one's to 2^-7's.
struct ScaleModel {
  std::array<BitModel, 5> longer;
  SignedModel exponent_step;
  std::int64_t exponent = 120;
};
template <class Coder>
float code_scale(Coder& coder, ScaleModel& model, float scale) {
  const auto pattern = std::bit_cast<std::uint32_t>(scale);
  const std::int64_t exponent = pattern >> 23;
  const std::uint32_t mantissa = pattern & 0x7FFFFF;
  const std::int64_t step = code_signed(coder, model.exponent_step, exponent - model.exponent);
  model.exponent = (model.exponent + step) & 0xFF;
  const int used = mantissa == 0 ? 0 : 23 - std::countr_zero(mantissa);
  int length = 0;
  while (length < 5 && coder.bit(model.longer[static_cast<std::size_t>(length)], used > length))
    ++length;
  std::uint32_t bits = 0;
  if (length == 5)
    bits = coder.raw(23, mantissa);
  else if (length > 0)
    bits = ((coder.raw(length - 1, mantissa >> (24 - length)) << 1) | 1) << (23 - length);
  return std::bit_cast<float>((static_cast<std::uint32_t>(model.exponent) << 23) | bits);
}

// Rows of `columns` floats by their bit patterns: whether it is nonzero, given the left and the
// upper neighbour; exponent byte; sign and mantissa raw. -0.0f is not zero.
template <class Coder, class T>
void code_floats(Coder& coder, std::span<T> values, std::size_t columns) {
  std::array<BitModel, 4> nonzero;
  ByteModel exponent;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool left = i % columns != 0 && values[i - 1] != 0;
    const bool upper = i >= columns && values[i - columns] != 0;
    const auto pattern = std::bit_cast<std::uint32_t>(values[i]);
    std::uint32_t result = 0;
    if (coder.bit(nonzero[(left ? 1u : 0u) + (upper ? 2u : 0u)], pattern != 0)) {
      const std::uint32_t high = code_byte(coder, exponent, (pattern >> 23) & 0xFF);
      const std::uint32_t sign = coder.raw(1, pattern >> 31);
      result = (sign << 31) | (high << 23) | coder.raw(23, pattern & 0x7FFFFFu);
    }
    set(values[i], std::bit_cast<float>(result));
  }
}

}  // namespace espalier::format
