// Small .esp models for the command line's tests, made without training.
#pragma once

#include <algorithm>
#include <cmath>

#include "compress/format/packed_model.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::tests {

// A linear classifier of 28 x 28 digits by their mean images m[d]: the nearest mean has the largest
// logit x . m - |m|^2 / 2. Float.
inline format::PackedModel nearest_mean() {
  const auto digits = datasets::synthetic_digits({.train = 500, .test = 1});
  format::PackedModel model;
  model.input_shape = {28, 28, 1};
  format::PackedLayer flatten, dense;
  flatten.kind = format::LayerKind::kFlatten, flatten.name = "flatten";
  dense.name = "means";
  dense.weight.shape = {10, 784};
  dense.weight.values.assign(7840, 0.0f);
  for (std::int64_t i = 0; i < 500; ++i) {
    const auto example = digits.train->get(i);
    float* mean = dense.weight.values.data() + 784 * example.label;
    for (std::size_t k = 0; k < 784; ++k) mean[k] += example.image.values()[k] / 50;
  }
  for (std::size_t d = 0; d < 10; ++d) {
    float norm = 0;
    for (std::size_t k = 784 * d; k < 784 * (d + 1); ++k)
      norm += dense.weight.values[k] * dense.weight.values[k];
    dense.bias.push_back(-norm / 2);
  }
  model.layers = {flatten, dense};
  return model;
}

// The same by integers: a 3 x 3 convolution that copies its middle (zero point 0), then 8-bit means
// of the inner 26 x 26 pixels.
inline format::PackedModel integer_nearest_mean() {
  const format::PackedModel real = nearest_mean();
  format::PackedModel model;
  model.input_shape = {28, 28, 1};
  model.input.scale = 1.0f / 127;
  format::PackedLayer copy, flatten = real.layers[0], dense;
  copy.kind = format::LayerKind::kConv2d, copy.name = "copy", copy.relu = true;
  copy.kernel_h = copy.kernel_w = 3;
  copy.weight = {{2, 3, 3, 1}, 8, {}, std::vector<std::int8_t>(18), {1.0f / 127}};
  copy.weight.levels[4] = 127, copy.weight.levels[9] = -3, copy.weight.levels[13] = 64;
  copy.bias_levels = {-5, 40}, copy.bias_shift = 2;
  copy.output.scale = 1.0f / 127;
  dense.name = "means";
  dense.weight = {{10, 26 * 26 * 2}, 8, {}, {}, {1.0f / 127}};
  for (std::size_t d = 0; d < 10; ++d) {
    for (std::size_t y = 1; y < 27; ++y)
      for (std::size_t x = 1; x < 27; ++x) {
        const float mean = real.layers[1].weight.values[784 * d + 28 * y + x];
        dense.weight.levels.push_back(static_cast<std::int8_t>(std::lround(mean * 100)));
        dense.weight.levels.push_back(0);
      }
    dense.bias_levels.push_back(
        static_cast<std::int32_t>(std::lround(real.layers[1].bias[d] * 127 * 100)));
  }
  model.layers = {copy, flatten, dense};
  return model;
}

}  // namespace espalier::tests
