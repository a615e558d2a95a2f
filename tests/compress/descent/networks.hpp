// Small integer networks with every kind of layer that descent takes, and images for them.
#pragma once

#include <utility>

#include "compress/format/packed_model.hpp"
#include "core/base/rng.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::descent {

inline format::PackedLayer linear(format::LayerKind kind, std::vector<std::int64_t> shape,
                                  std::uint64_t seed, float scale) {
  Rng rng(seed, "levels");
  format::PackedLayer layer;
  layer.kind = kind;
  std::int64_t count = 1;
  for (const auto v : shape) count *= v;
  layer.weight.bits = 4;
  for (std::int64_t i = 0; i < count; ++i)
    layer.weight.levels.push_back(
        static_cast<std::int8_t>(rng.uniform() < 0.7f ? static_cast<int>(rng.below(15)) - 7 : 0));
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    layer.weight.scales.push_back(scale * rng.uniform(0.5f, 1.5f));
    layer.bias_levels.push_back(static_cast<std::int32_t>(rng.below(9)) - 4);
  }
  layer.bias_shift = 5;
  if (kind != format::LayerKind::kDense) layer.kernel_h = shape[1], layer.kernel_w = shape[2];
  layer.weight.shape = std::move(shape);
  return layer;
}

// Strides, padding on some sides, overlapping pools, a grid with a zero point, lone relu.
inline format::PackedModel network() {
  using enum format::LayerKind;
  format::PackedModel model;
  model.input_shape = {9, 8, 2};
  model.input_mean = 0.25f;
  model.input = {1.0f / 64, 20};
  auto conv1 = linear(kConv2d, {5, 3, 2, 2}, 1, 0.08f);
  conv1.pad_top = 1, conv1.pad_right = 1, conv1.output = {0.02f, 50};
  format::PackedLayer relu, max, average, flatten;
  relu.kind = kRelu;
  max.kind = kMaxPool2d, max.kernel_h = 3, max.kernel_w = 2, max.stride_h = 2, max.pad_top = 1;
  auto conv2 = linear(kConv2d, {4, 2, 2, 5}, 2, 0.03f);
  conv2.stride_w = 2, conv2.pad_left = 1, conv2.relu = true, conv2.output = {0.03f, 0};
  average.kind = kAveragePool2d, average.kernel_h = 2, average.pad_bottom = 1;
  flatten.kind = kFlatten;
  auto dense1 = linear(kDense, {6, 3 * 4 * 4}, 3, 0.08f);
  dense1.relu = true, dense1.output = {0.05f, 0};
  auto dense2 = linear(kDense, {3, 6}, 4, 0.1f);
  model.layers = {conv1, relu, max, conv2, average, flatten, dense1, dense2};
  model.labels = {"a", "b", "c"};
  return model;
}

// Depthwise convolutions of signed levels and of relu's, strides and lopsided padding.
inline format::PackedModel separable_network() {
  using enum format::LayerKind;
  format::PackedModel model = network();
  auto conv = linear(kConv2d, {5, 3, 2, 2}, 1, 0.08f);
  conv.output = {0.02f, 50};
  auto depthwise1 = linear(kDepthwiseConv2d, {5, 3, 3, 1}, 2, 0.1f);
  depthwise1.pad_top = 2, depthwise1.pad_left = 1, depthwise1.stride_w = 2;
  depthwise1.relu = true, depthwise1.output = {0.03f, 0};
  auto pointwise = linear(kConv2d, {4, 1, 1, 5}, 3, 0.1f);
  pointwise.relu = true, pointwise.output = {0.05f, 0};
  auto depthwise2 = linear(kDepthwiseConv2d, {4, 2, 3, 1}, 4, 0.1f);
  depthwise2.pad_right = 2, depthwise2.pad_bottom = 1, depthwise2.output = {0.05f, 64};
  format::PackedLayer mean;
  mean.kind = kAveragePool2d, mean.kernel_h = 7, mean.kernel_w = 3;
  model.layers = {conv, depthwise1, pointwise, depthwise2, mean, linear(kDense, {3, 4}, 5, 0.1f)};
  return model;
}

inline Tensor images(std::int64_t count) {
  Rng rng(7, "images");
  Tensor all({count, 9, 8, 2});
  for (float& v : all.mutable_values()) v = rng.uniform();
  return all;
}

}  // namespace espalier::descent
