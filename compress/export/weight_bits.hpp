// Weights as the exported programs hold them: the levels that are not 0, in one stream of bits that
// a microcontroller reads in a few lines. Not the .esp file's coder: that is smaller, and needs its
// models of probabilities in RAM.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"

namespace espalier::exports {

// For each level that is not 0, in order: how many zeros lie before it, a Rice code (Rice and
// Plaunt 1971) of `gap_bits`; its sign, 1 for negative; its magnitude - 1, a Rice code of
// `size_bits`. Behind the last: the zeros that are left. gap_bits 0 is a bitmap with the values in
// their places, more are index deltas. Bits fill a byte from the lowest. Rice code of n with k
// bits: n >> k times 1, a 0, then the k low bits, the lowest first.
struct WeightBits {
  int gap_bits = 0, size_bits = 0;
  Bytes bytes;
};

// The shortest of its kind: both parameters from 0 to 7, all tried.
WeightBits weight_bits(std::span<const std::int8_t> levels);

}  // namespace espalier::exports
