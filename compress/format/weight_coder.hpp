// Weights to bits, two ways: the range coder with adaptive contexts, and a plain twin (bitmap of
// the nonzeros, then their values) that a decoder of a few lines reads. A tensor is seen as rows x
// columns, [O KH KW I] as O x (KH KW I). Zero means the bit pattern 0; -0.0f is not zero.
#pragma once

#include <cstdint>
#include <span>

#include "compress/format/range_coder.hpp"

namespace espalier::format {

// Levels lie in [-(2^(bits-1)-1), 2^(bits-1)-1]; `columns` >= 1.
void encode_levels(RangeEncoder& coder, std::span<const std::int8_t> levels, std::size_t columns,
                   int bits);
void decode_levels(RangeDecoder& coder, std::span<std::int8_t> levels, std::size_t columns,
                   int bits);
void encode_floats(RangeEncoder& coder, std::span<const float> values, std::size_t columns);
void decode_floats(RangeDecoder& coder, std::span<float> values, std::size_t columns);

// The plain twin: (n + 7) / 8 bytes of bitmap, low bit first; then each nonzero level as `bits`
// bits of two's complement, packed low bit first; floats as they are. Unused bits are 0. Errors:
// kCorrupt.
void write_levels(ByteWriter& out, std::span<const std::int8_t> levels, int bits);
void read_levels(ByteReader& in, std::span<std::int8_t> levels, int bits);
void write_floats(ByteWriter& out, std::span<const float> values);
void read_floats(ByteReader& in, std::span<float> values);

}  // namespace espalier::format
