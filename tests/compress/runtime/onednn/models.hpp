// Small random models for the tests of executors.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compress/format/validate.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/rng.hpp"

namespace espalier::runtime {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;
using format::PackedModel;

template <class T>
T pick(Rng& rng, std::initializer_list<T> from) {
  return from.begin()[rng.below(from.size())];
}

// Pixels are reals; scale 1 makes a pixel level - zero_point.
inline PackedModel model_of(std::array<std::int64_t, 3> input, ActivationGrid grid) {
  PackedModel model;
  model.input_shape = input;
  model.input = grid;
  return model;
}

// The shape behind the last layer; the model may still end in levels.
inline std::array<std::int64_t, 3> end_of(const PackedModel& model) {
  auto shape = model.input_shape;
  for (const PackedLayer& l : model.layers)
    shape = format::output_shape(l, l.weight.shape.empty() ? shape[2] : l.weight.shape[0], shape,
                                 ErrorKind::kUsage, "test");
  return shape;
}

// A kernel, stride and padding that fit the image.
inline void set_window(PackedLayer& l, Rng& rng, const std::array<std::int64_t, 3>& input) {
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(n)));
  };
  l.kernel_h = std::min<std::int64_t>(1 + below(5), input[0]);
  l.kernel_w = std::min<std::int64_t>(1 + below(5), input[1]);
  l.stride_h = 1 + below(3), l.stride_w = 1 + below(3);
  if (rng.below(2)) return;
  l.pad_top = below(l.kernel_h), l.pad_bottom = below(l.kernel_h);
  l.pad_left = below(l.kernel_w), l.pad_right = below(l.kernel_w);
}

enum class Weights { kRandom, kExtreme };

// Levels, scales and bias levels whose sums stay below 2^24. Extreme: all of the largest size.
inline void set_levels(PackedLayer& l, Rng& rng, std::vector<std::int64_t> shape, int bits,
                       Weights weights) {
  l.weight.shape = std::move(shape);
  l.weight.bits = bits;
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < l.weight.shape.size(); ++i) inputs *= l.weight.shape[i];
  const int top = (1 << (bits - 1)) - 1;
  const auto span = static_cast<std::uint64_t>(2 * top + 1);
  const bool per_channel = rng.below(2);
  for (std::int64_t o = 0; o < l.weight.shape[0]; ++o) {
    const int sign = rng.below(2) ? 1 : -1;
    std::int64_t budget = ((1 << 24) - 70'000) / 127;
    for (std::int64_t i = 0; i < inputs; ++i) {
      int level =
          weights == Weights::kExtreme ? sign * top : static_cast<int>(rng.below(span)) - top;
      if (std::abs(level) > budget) level = 0;
      budget -= std::abs(level);
      l.weight.levels.push_back(static_cast<std::int8_t>(level));
    }
    if (per_channel || o == 0) l.weight.scales.push_back(rng.uniform(0.001f, 0.02f));
    l.bias_levels.push_back(static_cast<std::int32_t>(rng.below(8001)) - 4000);
  }
  l.bias_shift = static_cast<std::int32_t>(rng.below(4));
  if (rng.below(4) == 0) l.bias_levels.clear(), l.bias_shift = 0;
}

inline PackedLayer conv_of(Rng& rng, const std::array<std::int64_t, 3>& input, std::int64_t outputs,
                           int bits, Weights weights = Weights::kRandom) {
  PackedLayer l;
  l.kind = LayerKind::kConv2d;
  l.name = "conv";
  set_window(l, rng, input);
  set_levels(l, rng, {outputs, l.kernel_h, l.kernel_w, input[2]}, bits, weights);
  return l;
}

inline PackedLayer depthwise_of(Rng& rng, const std::array<std::int64_t, 3>& input, int bits,
                                Weights weights = Weights::kRandom) {
  PackedLayer l;
  l.kind = LayerKind::kDepthwiseConv2d;
  l.name = "depthwise";
  set_window(l, rng, input);
  set_levels(l, rng, {input[2], l.kernel_h, l.kernel_w, 1}, bits, weights);
  return l;
}

inline PackedLayer dense_of(Rng& rng, std::int64_t inputs, std::int64_t outputs, int bits,
                            Weights weights = Weights::kRandom) {
  PackedLayer l;
  l.kind = LayerKind::kDense;
  l.name = "dense";
  set_levels(l, rng, {outputs, inputs}, bits, weights);
  return l;
}

// A convolution that yields every level of its input as a logit: no difference stays hidden.
inline PackedLayer reveal(std::int64_t channels) {
  PackedLayer l;
  l.kind = LayerKind::kConv2d;
  l.name = "reveal";
  l.weight.shape = {channels, 1, 1, channels};
  l.weight.bits = 8;
  l.weight.scales = {1};
  l.weight.levels.assign(static_cast<std::size_t>(channels * channels), 0);
  for (std::int64_t c = 0; c < channels; ++c)
    l.weight.levels[static_cast<std::size_t>(c * channels + c)] = 1;
  return l;
}

// Pixels that become random levels, or the same one everywhere.
inline Tensor images_of(Rng& rng, const PackedModel& model, std::int64_t n, int level = -1) {
  const auto& s = model.input_shape;
  Tensor x({n, s[0], s[1], s[2]});
  const float scale = model.input.is_float() ? 0.01f : model.input.scale;
  for (float& v : x.mutable_values())
    v = scale * (static_cast<float>(level < 0 ? static_cast<int>(rng.below(128)) : level) -
                 static_cast<float>(model.input.zero_point));
  return x;
}

// How many of the two executors' logits differ in any bit.
inline std::int64_t differing(const Model& model, const Tensor& images, std::int64_t batch,
                              Kernels kernels = Kernels::kFixed) {
  Session session(model, {.batch = batch, .kernels = kernels});
  const auto got = session.run(images);
  const Tensor want = model.run(images);
  REQUIRE(static_cast<std::int64_t>(got.size()) == want.elements());
  std::int64_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    count += std::memcmp(&got[i], &want.values()[i], sizeof(float)) != 0;
  return count;
}

}  // namespace espalier::runtime
