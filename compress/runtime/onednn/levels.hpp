// Loops over levels and sums, written so that compilers vectorise them. Formulas:
// core/kernels/integer.hpp.
#pragma once

#include <span>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::runtime::onednn {

// (pixel - mean) / deviation, and that as levels on the model's input grid.
void transform_pixels(std::span<const float> pixels, const format::PackedModel& model, float* x);
void quantize_pixels(std::span<const float> pixels, const format::PackedModel& model,
                     std::uint8_t* x);

// How the sums [ROWS C] of an integer layer become its output; each vector is [C].
struct Requantization {
  std::vector<std::int32_t> bias = {};  // added first; holds the zero point's constant too
  std::vector<float> multiplier = {};
  std::int32_t zero_point = 0;
  bool relu = false;
};
void requantize_rows(const std::int32_t* sums, std::int64_t rows, const Requantization& r,
                     std::uint8_t* levels);
// float(acc) * multiplier[c]
void scale_rows(const std::int32_t* sums, std::int64_t rows, const Requantization& r,
                float* values);

}  // namespace espalier::runtime::onednn
