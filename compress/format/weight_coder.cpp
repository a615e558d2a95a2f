#include "compress/format/weight_coder.hpp"

#include <array>
#include <bit>
#include <cstdlib>

namespace espalier::format {
namespace {

// 1 if the left neighbour is nonzero, plus 2 if the upper one is.
template <class T>
std::size_t neighbours(std::span<T> data, std::size_t i, std::size_t columns) {
  const bool left = i % columns != 0 && data[i - 1] != 0;
  const bool upper = i >= columns && data[i - columns] != 0;
  return (left ? 1u : 0u) + (upper ? 2u : 0u);
}

// Magnitude m >= 1: its class floor(log2 m) in truncated unary, then the bits below the leading
// one, the highest of them adaptive, the others raw.
template <class Coder, class T>
void code_levels(Coder& coder, std::span<T> levels, std::size_t columns, int bits) {
  std::array<BitModel, 4> nonzero;
  BitModel sign;
  std::array<BitModel, 8> class_ends, second_bit;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const int level = levels[i];
    const auto magnitude = static_cast<std::uint32_t>(std::abs(level));
    int result = 0;
    if (coder.bit(nonzero[neighbours(levels, i, columns)], level != 0)) {
      const bool negative = coder.bit(sign, level < 0);
      std::uint32_t size = 0;
      const auto top = static_cast<std::uint32_t>(bits - 2);
      while (size < top && coder.bit(class_ends[size], (magnitude >> size) > 1)) ++size;
      std::uint32_t value = 1;
      if (size > 0) {
        value = 2 | (coder.bit(second_bit[size], (magnitude >> (size - 1)) & 1) ? 1u : 0u);
        const std::uint32_t rest = size - 1, mask = (1u << rest) - 1;
        value = (value << rest) | coder.raw(static_cast<int>(rest), magnitude & mask);
      }
      result = negative ? -static_cast<int>(value) : static_cast<int>(value);
    }
    if constexpr (!std::is_const_v<T>) levels[i] = static_cast<std::int8_t>(result);
  }
}

// Zero flag, exponent byte through a bit tree, then sign and mantissa raw. Works on bit patterns.
template <class Coder, class T>
void code_floats(Coder& coder, std::span<T> values, std::size_t columns) {
  std::array<BitModel, 4> nonzero;
  std::array<BitModel, 256> exponent;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto pattern = std::bit_cast<std::uint32_t>(values[i]);
    std::uint32_t result = 0;
    if (coder.bit(nonzero[neighbours(values, i, columns)], pattern != 0)) {
      std::uint32_t node = 1;
      for (int bit = 30; bit >= 23; --bit)
        node = (node << 1) | (coder.bit(exponent[node], (pattern >> bit) & 1) ? 1u : 0u);
      const std::uint32_t sign = coder.raw(1, pattern >> 31);
      const std::uint32_t mantissa = coder.raw(23, pattern & 0x7FFFFFu);
      result = (sign << 31) | ((node & 0xFFu) << 23) | mantissa;
    }
    if constexpr (!std::is_const_v<T>) values[i] = std::bit_cast<float>(result);
  }
}

template <class T, class IsNonzero>
void write_bitmap(ByteWriter& out, std::span<const T> data, IsNonzero is_nonzero) {
  for (std::size_t i = 0; i < data.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t j = i; j < data.size() && j < i + 8; ++j)
      if (is_nonzero(data[j])) byte |= 1u << (j - i);
    out.u8(static_cast<std::uint8_t>(byte));
  }
}

std::span<const std::uint8_t> read_bitmap(ByteReader& in, std::size_t count) {
  const auto bitmap = in.take((count + 7) / 8);
  in.check(count % 8 == 0 || (bitmap.back() >> (count % 8)) == 0, "unused bitmap bits are set");
  return bitmap;
}

bool bit_of(std::span<const std::uint8_t> bitmap, std::size_t i) {
  return (bitmap[i / 8] >> (i % 8)) & 1;
}

}  // namespace

void encode_levels(RangeEncoder& coder, std::span<const std::int8_t> levels, std::size_t columns,
                   int bits) {
  code_levels(coder, levels, columns, bits);
}
void decode_levels(RangeDecoder& coder, std::span<std::int8_t> levels, std::size_t columns,
                   int bits) {
  for (auto& level : levels) level = 0;
  code_levels(coder, levels, columns, bits);
}
void encode_floats(RangeEncoder& coder, std::span<const float> values, std::size_t columns) {
  code_floats(coder, values, columns);
}
void decode_floats(RangeDecoder& coder, std::span<float> values, std::size_t columns) {
  for (auto& value : values) value = 0;
  code_floats(coder, values, columns);
}

void write_levels(ByteWriter& out, std::span<const std::int8_t> levels, int bits) {
  write_bitmap(out, levels, [](std::int8_t level) { return level != 0; });
  std::uint32_t buffer = 0;
  int filled = 0;
  for (const std::int8_t level : levels) {
    if (level == 0) continue;
    buffer |= (static_cast<std::uint32_t>(level) & ((1u << bits) - 1)) << filled;
    for (filled += bits; filled >= 8; filled -= 8, buffer >>= 8)
      out.u8(static_cast<std::uint8_t>(buffer & 0xFF));
  }
  if (filled > 0) out.u8(static_cast<std::uint8_t>(buffer));
}

void read_levels(ByteReader& in, std::span<std::int8_t> levels, int bits) {
  const auto bitmap = read_bitmap(in, levels.size());
  std::uint32_t buffer = 0;
  int filled = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    levels[i] = 0;
    if (!bit_of(bitmap, i)) continue;
    for (; filled < bits; filled += 8) buffer |= static_cast<std::uint32_t>(in.u8()) << filled;
    int level = static_cast<int>(buffer & ((1u << bits) - 1));
    if (level >= 1 << (bits - 1)) level -= 1 << bits;
    in.check(level != 0 && level != -(1 << (bits - 1)), "level ", level, " is not allowed");
    levels[i] = static_cast<std::int8_t>(level);
    buffer >>= bits;
    filled -= bits;
  }
  in.check(buffer == 0, "unused level bits are set");
}

void write_floats(ByteWriter& out, std::span<const float> values) {
  const auto is_nonzero = [](float v) { return std::bit_cast<std::uint32_t>(v) != 0; };
  write_bitmap(out, values, is_nonzero);
  for (const float value : values)
    if (is_nonzero(value)) out.f32(value);
}

void read_floats(ByteReader& in, std::span<float> values) {
  const auto bitmap = read_bitmap(in, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = bit_of(bitmap, i) ? in.f32() : 0.0f;
    in.check(!bit_of(bitmap, i) || std::bit_cast<std::uint32_t>(values[i]) != 0, "a stored zero");
  }
}

}  // namespace espalier::format
