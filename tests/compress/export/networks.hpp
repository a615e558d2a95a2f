// Random models of every kind of layer, and what the reference executor makes of them.
#pragma once

#include "compress/export/network.hpp"
#include "compress/runtime/model.hpp"
#include "tests/compress/export/exported.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

namespace espalier::exports {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;
using format::PackedModel;

inline Pixels pixels_of(Rng& rng, const PackedModel& model, std::int64_t n) {
  Pixels pixels(static_cast<std::size_t>(n * elements(model.input_shape)));
  for (auto& p : pixels) p = static_cast<std::uint8_t>(rng.below(256));
  return pixels;
}

// By the reference executor.
inline Logits wanted(const PackedModel& packed, const Pixels& pixels) {
  const auto& s = packed.input_shape;
  const auto n = static_cast<std::int64_t>(pixels.size()) / elements(s);
  Tensor images = Tensor::uninitialized({n, s[0], s[1], s[2]});
  for (std::size_t i = 0; i < pixels.size(); ++i)
    images.mutable_values()[i] = static_cast<float>(pixels[i]) / 255.0f;
  const Tensor logits = runtime::Model(packed).run(images);
  return {logits.values().begin(), logits.values().end()};
}

inline std::size_t differing(const Logits& got, const Logits& want) {
  REQUIRE(got.size() == want.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    count += std::memcmp(&got[i], &want[i], sizeof(float)) != 0;
  return count;
}

// Zeros, as pruning leaves them.
inline void thin_out(PackedLayer& l, Rng& rng, double density) {
  for (auto& level : l.weight.levels)
    if (rng.uniform() >= density) level = 0;
}

// Small biases, and an output scale that spreads the sums over the levels, so that no layer says the
// same of all images.
inline void spread(PackedLayer& l, Rng& rng, const ActivationGrid& from, std::int32_t zero_point) {
  double squares = 0;
  for (const int level : l.weight.levels) squares += level * level;
  for (auto& b : l.bias_levels) b /= 40;
  const double sums =
      30 * std::sqrt(1 + squares / static_cast<double>(l.weight.shape[0]));  // their deviation
  l.output.scale =
      static_cast<float>(from.scale * l.weight.scales[0] * sums / 30) * rng.uniform(0.5f, 1.5f);
  l.output.zero_point = zero_point;
}

// Up to four layers between the image and the logits, of any kind, on any grid.
inline PackedModel random_integers(std::uint64_t seed) {
  Rng rng(seed, "export");
  const auto zero_point = [&] { return runtime::pick(rng, {0, 0, 64, 30}); };
  ActivationGrid grid;  // of the last layer's output
  const std::int64_t channels = 1 + static_cast<std::int64_t>(rng.below(3));
  PackedModel model = runtime::model_of({6 + static_cast<std::int64_t>(rng.below(5)),
                                         5 + static_cast<std::int64_t>(rng.below(6)), channels},
                                        {1.0f / 127, zero_point()});
  if (rng.below(2)) model.input_mean = 0.1307f, model.input_deviation = 0.3081f;
  if (model.input.zero_point) model.input.scale = 3.5f / 127;
  grid = model.input;
  const double density = runtime::pick(rng, {0.1, 0.3, 1.0});
  const int layers = 1 + static_cast<int>(rng.below(4));
  for (int i = 0; i < layers; ++i) {
    const Shape in = runtime::end_of(model);
    PackedLayer l;
    switch (rng.below(6)) {
      case 0:
        l.kind = LayerKind::kMaxPool2d;
        if (rng.below(2))
          l.kernel_h = l.stride_h = std::min<std::int64_t>(2, in[0]),
          l.kernel_w = l.stride_w = std::min<std::int64_t>(2, in[1]);
        else
          runtime::set_window(l, rng, in);
        break;
      case 1:
        l.kind = LayerKind::kAveragePool2d;
        runtime::set_window(l, rng, in);
        break;
      case 2:
        l.kind = LayerKind::kBatchNorm;
        for (std::int64_t c = 0; c < in[2]; ++c)
          l.multiplier.push_back(rng.uniform(-1.5f, 1.5f)),
              l.offset.push_back(rng.uniform(-20.0f, 40.0f));
        l.relu = rng.below(2);
        l.output = grid = {0.05f, zero_point()};
        break;
      case 3:
        l.kind = LayerKind::kRelu;
        break;
      default:
        l = runtime::conv_of(rng, in, 1 + static_cast<std::int64_t>(rng.below(5)),
                             runtime::pick(rng, {2, 4, 5, 8}));
        thin_out(l, rng, density);
        l.relu = rng.below(2);
        spread(l, rng, grid, zero_point());
        grid = l.output;
    }
    l.name = runtime::pick(rng, {"", "layer", "*/ 1\n"});
    model.layers.push_back(l);
  }
  const Shape in = runtime::end_of(model);
  if (rng.below(4) == 0) {  // a convolution yields the logits
    PackedLayer last = runtime::conv_of(rng, in, 3, 8);
    last.relu = rng.below(2);
    model.layers.push_back(last);
    return model;
  }
  PackedLayer flatten;
  flatten.kind = LayerKind::kFlatten;
  model.layers.push_back(flatten);
  if (rng.below(2)) {
    PackedLayer hidden = runtime::dense_of(rng, elements(in), 7, runtime::pick(rng, {3, 8}));
    thin_out(hidden, rng, density);
    hidden.relu = rng.below(2);
    spread(hidden, rng, grid, zero_point());
    model.layers.push_back(hidden);
  }
  model.layers.push_back(
      runtime::dense_of(rng, elements(runtime::end_of(model)), 4, runtime::pick(rng, {2, 7})));
  model.labels = {"zero \"0\"", "*/ @NAME@ ?\?/", "d\u00e9j\u00e0 </script>", "\xff\n"};
  return model;
}

// The same layers in floats.
inline PackedModel random_floats(std::uint64_t seed) {
  PackedModel model = random_integers(seed);
  model.input = {};
  for (PackedLayer& l : model.layers) {
    l.output = {};
    for (float& v : l.offset) v *= 0.02f;
    if (l.weight.levels.empty()) continue;
    const float scale = 1.0f / static_cast<float>(1 << (l.weight.bits - 1));
    for (const std::int8_t level : l.weight.levels)
      l.weight.values.push_back(scale * static_cast<float>(level));
    for (const std::int32_t b : l.bias_levels) l.bias.push_back(static_cast<float>(b) / 4000);
    l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear();
    l.weight.bits = 32, l.bias_shift = 0;
  }
  return model;
}

// The largest difference, in parts of the largest logit.
inline double difference(const Logits& got, const Logits& want) {
  REQUIRE(got.size() == want.size());
  double largest = 1e-9, most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    largest = std::max<double>(largest, std::abs(want[i]));
    most = std::max<double>(most, std::abs(got[i] - want[i]));
  }
  return most / largest;
}

}  // namespace espalier::exports
