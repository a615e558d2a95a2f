// Loops over levels and sums, written so that compilers vectorise them. Formulas:
// core/kernels/integer.hpp.
#pragma once

#include <span>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::runtime::loops {

// (pixel - mean) / deviation, and that as levels on the model's input grid.
void transform_pixels(std::span<const float> pixels, const format::PackedModel& model, float* x);
void quantize_pixels(std::span<const float> pixels, const format::PackedModel& model,
                     std::uint8_t* x);

// How the sums [ROWS C] of an integer layer become its output. The vectors are those of the C
// channels again and again, so that a loop over few channels does not end before it fills a vector
// register: element i of the sums goes with element i mod size().
struct Requantization {
  static constexpr std::size_t kLeastSize = 256;
  std::vector<std::int32_t> bias = {};  // added first; holds the zero point's constant too
  std::vector<float> multiplier = {};
  std::int32_t zero_point = 0;
  bool relu = false;
};
// Repeats the vectors, [C] so far, to at least kLeastSize elements.
void repeat_channels(Requantization& r);

void requantize_sums(std::span<const std::int32_t> sums, const Requantization& r,
                     std::uint8_t* levels);
// float(sum + bias) * multiplier
void scale_sums(std::span<const std::int32_t> sums, const Requantization& r, float* values);

// Levels on one grid, and the factor that takes them to the sum's scale.
struct Summand {
  const std::uint8_t* levels;
  std::int32_t zero_point;
  float multiplier;
};
// sum[i] = clamp(summand(a[i]) + summand(b[i]) + zero_point, lowest, 127). The sum may take the place
// of a summand.
void add_levels(const Summand& a, const Summand& b, std::int64_t count, std::int32_t zero_point,
                std::int32_t lowest, std::uint8_t* sum);

}  // namespace espalier::runtime::loops
