// Random models of every kind of layer, and what the reference executor makes of them.
#pragma once

#include <set>

#include "compress/export/network.hpp"
#include "compress/format/wiring.hpp"
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

// Zeros, as pruning leaves them.
inline void thin_out(PackedLayer& l, Rng& rng, double density) {
  for (auto& level : l.weight.levels)
    if (rng.uniform() >= density) level = 0;
}

struct RandomOptions {
  bool padded_pools = true;
  int activation_bits = 7;  // behind convolutions and dense layers; fewer want a relu (INTEGERS.md)
};

// Small biases, and an output grid that spreads the sums over the levels, so that no layer says the
// same of all images.
inline void spread(PackedLayer& l, Rng& rng, const ActivationGrid& from,
                   const RandomOptions& options) {
  double squares = 0;
  for (const int level : l.weight.levels) squares += level * level;
  for (auto& b : l.bias_levels) b /= 40;
  const double sums =
      30 * std::sqrt(1 + squares / static_cast<double>(l.weight.shape[0]));  // their deviation
  const int most = (1 << options.activation_bits) - 1;
  l.relu = rng.below(2) || most < 127;
  l.output.scale = static_cast<float>(from.scale * l.weight.scales[0] * sums * 4 / most) *
                   rng.uniform(0.5f, 1.5f);
  l.output.zero_point = most < 127 ? 127 - most : runtime::pick(rng, {0, 0, 64, 30});
}

// A convolution of an odd number of rows and columns, and a max pool of windows side by side, the
// last of which do not fit: the C99 file makes one of the two.
inline std::vector<PackedLayer> pooled_convolution(Rng& rng, const Shape& in,
                                                   const ActivationGrid& grid,
                                                   const RandomOptions& options) {
  PackedLayer conv, pool;
  conv.kind = LayerKind::kConv2d;
  conv.kernel_h = in[0] % 2 ? 3 : 2, conv.kernel_w = in[1] % 2 ? 1 : 2;
  runtime::set_levels(conv, rng, {4, conv.kernel_h, conv.kernel_w, in[2]}, 8,
                      runtime::Weights::kRandom);
  spread(conv, rng, grid, options);
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.stride_h = 2;
  pool.kernel_w = pool.stride_w = 2;
  return {conv, pool};
}

// A convolution or a relu, and the sum of what it yields and what it took; between them sometimes a
// convolution that reads what was before, too.
inline std::vector<PackedLayer> branch(Rng& rng, const Shape& in, const ActivationGrid& grid,
                                       const RandomOptions& options) {
  const auto same = [&](std::int64_t size) {
    PackedLayer conv;
    conv.kind = LayerKind::kConv2d;
    conv.kernel_h = conv.kernel_w = size;
    conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = size / 2;
    runtime::set_levels(conv, rng, {in[2], size, size, in[2]}, 6, runtime::Weights::kRandom);
    spread(conv, rng, grid, options);
    return conv;
  };
  PackedLayer relu, sum;
  relu.kind = LayerKind::kRelu;
  sum.kind = LayerKind::kResidual;
  std::vector<PackedLayer> layers{rng.below(3) ? same(3) : relu};
  if (rng.below(3) == 0) {
    layers.push_back(same(1));
    layers.back().from = 2;
  }
  const ActivationGrid one = layers.back().kind == LayerKind::kRelu ? grid : layers.back().output;
  sum.with = 2;  // of two layers the first, else what was before
  sum.relu = rng.below(2);
  sum.output = {one.scale + grid.scale * rng.uniform(0.2f, 0.8f), runtime::pick(rng, {0, 64, 30})};
  layers.push_back(sum);
  return layers;
}

// One to four layers between the image and the logits, of any kind, on any grid; every third model
// begins with a pooled_convolution().
inline PackedModel random_integers(std::uint64_t seed, const RandomOptions& options = {}) {
  Rng rng(seed, "export");
  const std::int64_t channels = 1 + static_cast<std::int64_t>(rng.below(3));
  PackedModel model = runtime::model_of({6 + static_cast<std::int64_t>(rng.below(5)),
                                         5 + static_cast<std::int64_t>(rng.below(6)), channels},
                                        {1.0f / 127, runtime::pick(rng, {0, 0, 64, 30})});
  if (rng.below(2)) model.input_mean = 0.1307f, model.input_deviation = 0.3081f;
  if (model.input.zero_point) model.input.scale = 3.5f / 127;
  ActivationGrid grid = model.input;  // of the last layer's output
  const double density = runtime::pick(rng, {0.1, 0.3, 1.0});
  const auto window = [&](PackedLayer& l, const Shape& in) {
    runtime::set_window(l, rng, in);
    if (!options.padded_pools) l.pad_top = l.pad_bottom = l.pad_left = l.pad_right = 0;
  };
  if (seed % 3 == 0) {
    model.layers = pooled_convolution(rng, model.input_shape, grid, options);
    grid = model.layers.front().output;
  }
  const int layers = 1 + static_cast<int>(rng.below(4));
  for (int i = 0; i < layers; ++i) {
    const Shape in = runtime::end_of(model);
    PackedLayer l;
    switch (rng.below(10)) {
      case 0:
        l.kind = LayerKind::kMaxPool2d;
        window(l, in);
        break;
      case 1:
        l.kind = LayerKind::kAveragePool2d;
        window(l, in);
        break;
      case 2:
        l.kind = LayerKind::kBatchNorm;
        for (std::int64_t c = 0; c < in[2]; ++c)
          l.multiplier.push_back(rng.uniform(-1.5f, 1.5f)),
              l.offset.push_back(rng.uniform(-20.0f, 40.0f));
        l.relu = rng.below(2);
        l.output = grid = {0.05f, runtime::pick(rng, {0, 0, 64, 30})};
        break;
      case 3:
        l.kind = LayerKind::kRelu;
        break;
      case 4:
      case 5:
        for (const PackedLayer& more : branch(rng, in, grid, options)) model.layers.push_back(more);
        l = model.layers.back();
        model.layers.pop_back();
        grid = l.output;
        break;
      case 6:
        l = runtime::depthwise_of(rng, in, runtime::pick(rng, {4, 5, 8}));
        thin_out(l, rng, std::max(density, 0.5));  // a channel has few weights, and no other
        spread(l, rng, grid, options);
        grid = l.output;
        break;
      default:
        l = runtime::conv_of(rng, in, 1 + static_cast<std::int64_t>(rng.below(5)),
                             runtime::pick(rng, {2, 4, 5, 8}));
        thin_out(l, rng, density);
        spread(l, rng, grid, options);
        grid = l.output;
    }
    l.name = runtime::pick(rng, {"", "layer", "*/ 1\n"});
    model.layers.push_back(l);
  }
  const Shape in = runtime::end_of(model);
  if (rng.below(4) == 0) {  // a convolution yields the logits
    PackedLayer last =
        rng.below(3) ? runtime::conv_of(rng, in, 3, 8) : runtime::depthwise_of(rng, in, 8);
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
    spread(hidden, rng, grid, options);
    model.layers.push_back(hidden);
  }
  model.layers.push_back(
      runtime::dense_of(rng, elements(runtime::end_of(model)), 4, runtime::pick(rng, {2, 7})));
  model.labels = {"zero \"0\"", "*/ @NAME@ ?\?/", "d\u00e9j\u00e0 </script>", "\xff\n"};
  return model;
}

// Convolution, depthwise of a relu's levels, 1x1, a strided depthwise of signed ones, max pool, mean,
// dense.
inline PackedModel separable(std::uint64_t seed, int bits, double density) {
  Rng rng(seed, "separable");
  PackedModel model = runtime::model_of({13, 11, 2}, {1.0f / 127, 0});
  ActivationGrid grid = model.input;
  const auto add = [&](LayerKind kind, std::vector<std::int64_t> shape, bool relu) {
    PackedLayer l;
    l.kind = kind;
    l.kernel_h = shape[1], l.kernel_w = shape[2];
    runtime::set_levels(l, rng, std::move(shape), bits, runtime::Weights::kRandom);
    thin_out(l, rng, density);
    spread(l, rng, grid, {});
    l.relu = relu, l.output.zero_point = relu ? 0 : 64;
    grid = l.output;
    model.layers.push_back(l);
  };
  add(LayerKind::kConv2d, {9, 3, 3, 2}, true);
  add(LayerKind::kDepthwiseConv2d, {9, 3, 3, 1}, true);
  PackedLayer& same = model.layers.back();
  same.pad_top = same.pad_left = same.pad_bottom = same.pad_right = 1;
  add(LayerKind::kConv2d, {18, 1, 1, 9}, false);
  add(LayerKind::kDepthwiseConv2d, {18, 3, 2, 1}, false);
  PackedLayer& strided = model.layers.back();
  strided.pad_top = 1, strided.pad_right = 1, strided.stride_h = 2;
  PackedLayer max, mean;
  max.kind = LayerKind::kMaxPool2d;
  max.kernel_h = max.kernel_w = max.stride_h = max.stride_w = 2;
  mean.kind = LayerKind::kAveragePool2d;
  mean.kernel_h = 2, mean.kernel_w = 4;
  model.layers.push_back(max), model.layers.push_back(mean);
  model.layers.push_back(runtime::dense_of(rng, 18, 4, 8));
  return model;
}

enum class Numbers { kIntegers, kFloats, kDynamicRange };

// The same layers in floats, of dynamic range with the weights left as levels.
inline PackedModel floats_of(PackedModel model, Numbers numbers) {
  model.input = {};
  for (PackedLayer& l : model.layers) {
    l.output = {};
    for (float& v : l.offset) v *= 0.02f;
    if (l.weight.levels.empty()) continue;
    const float scale = 1.0f / static_cast<float>(1 << (l.weight.bits - 1));
    for (const std::int32_t b : l.bias_levels) l.bias.push_back(static_cast<float>(b) / 4000);
    l.bias_levels.clear(), l.bias_shift = 0;
    if (numbers == Numbers::kDynamicRange) {
      for (float& s : l.weight.scales) s = scale * (1 + s);
      continue;
    }
    for (const std::int8_t level : l.weight.levels)
      l.weight.values.push_back(scale * static_cast<float>(level));
    l.weight.levels.clear(), l.weight.scales.clear(), l.weight.bits = 32;
  }
  return model;
}

// Some layers of integers in floats, with the same grids around them; where it can be, one yields floats
// to the next. `wanted`: how often of four.
inline PackedModel mixed_of(PackedModel model, std::uint64_t seed, std::uint64_t wanted = 2) {
  Rng rng(seed, "mixed");
  const auto in_floats = [](PackedLayer& l, const ActivationGrid& from) {
    const auto& scales = l.weight.scales;
    for (std::size_t c = 0; c < l.bias_levels.size(); ++c)
      l.bias.push_back(static_cast<float>(l.bias_levels[c] * (1 << l.bias_shift)) * from.scale *
                       scales[scales.size() > 1 ? c : 0]);
    l.weight.values = format::float_weights(l.weight);
    l.weight.levels.clear(), l.weight.scales.clear(), l.weight.bits = 32;
    l.bias_levels.clear(), l.bias_shift = 0;
  };
  const auto grids = format::stage_grids(model);
  const bool chain = !format::has_branches(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    PackedLayer& l = model.layers[i];
    if (!format::has_weight(l.kind) || rng.below(4) >= wanted) continue;
    in_floats(l, grids[format::input_stage(l, i)]);
    std::size_t next = i + 1;  // behind layers that take what comes
    while (next < model.layers.size() && !format::moves(model.layers[next].kind)) ++next;
    if (!chain || next == model.layers.size() || !format::has_weight(model.layers[next].kind))
      continue;
    l.output = {};
    in_floats(model.layers[next], grids[next]);
    i = next;
  }
  return model;
}

// A batch norm and a residual that take levels and yield floats, or the reverse.
inline PackedModel mixed_branches(std::uint64_t seed) {
  Rng rng(seed, "mixed branches");
  PackedModel model = runtime::model_of({7, 6, 3}, {1.0f / 127, 0});
  PackedLayer conv = runtime::conv_of(rng, model.input_shape, 3, 8), norm, sum, again, flatten;
  conv.kernel_h = conv.kernel_w = 3, conv.stride_h = conv.stride_w = 1;
  conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = 1;
  conv.weight = {}, conv.bias_levels.clear(), conv.bias_shift = 0;
  runtime::set_levels(conv, rng, {3, 3, 3, 3}, 8, runtime::Weights::kRandom);
  spread(conv, rng, model.input, {});
  norm.kind = LayerKind::kBatchNorm;  // levels to floats
  norm.multiplier = {0.5f, -1.5f, 1}, norm.offset = {0.1f, 2, -0.3f};
  sum.kind = LayerKind::kResidual;  // floats and levels to levels
  sum.with = 2, sum.relu = true;
  sum.output = {conv.output.scale * 1.3f, 0};
  again = sum;  // levels and floats to floats
  again.output = {}, again.relu = false;
  flatten.kind = LayerKind::kFlatten;
  model.layers = {conv, norm, sum, again, flatten, runtime::dense_of(rng, 7 * 6 * 3, 4, 8)};
  PackedLayer& dense = model.layers.back();
  for (float& s : dense.weight.scales) s *= 0.05f;
  for (const auto b : dense.bias_levels) dense.bias.push_back(0.001f * static_cast<float>(b));
  dense.bias_levels.clear(), dense.bias_shift = 0;
  return model;
}

// A model, images, and what it says of them.
struct Sample {
  std::uint64_t seed;
  PackedModel model;
  Pixels pixels;
  Logits want;
};

inline Sample sample_of(PackedModel model, std::int64_t images = 20) {
  Rng rng(1, "pixels");
  Sample s{static_cast<std::uint64_t>(model.layers.size()), std::move(model), {}, {}};
  s.pixels = pixels_of(rng, s.model, images);
  s.want = wanted(s.model, s.pixels);
  return s;
}

// How many images have logits that no other has.
inline std::size_t distinct_rows(const Logits& logits, std::size_t images) {
  const auto classes = static_cast<std::ptrdiff_t>(logits.size() / images);
  std::set<Logits> rows;
  for (auto at = logits.begin(); at != logits.end(); at += classes) rows.insert({at, at + classes});
  return rows.size();
}

// Random models that speak: of `images` random images at least three in four have logits of their
// own. Others, which saturate somewhere, could hide any mistake: they are passed over, and no more
// than three in four of them.
inline std::vector<Sample> samples(std::size_t count, Numbers numbers, std::int64_t images = 20,
                                   const RandomOptions& options = {}) {
  std::vector<Sample> all;
  for (std::uint64_t seed = 0; seed < 4 * count && all.size() < count; ++seed) {
    PackedModel model = random_integers(seed, options);
    if (numbers != Numbers::kIntegers) model = floats_of(std::move(model), numbers);
    Rng rng(seed, "pixels");
    const Pixels pixels = pixels_of(rng, model, images);
    const Logits want = wanted(model, pixels);
    const auto rows = static_cast<std::size_t>(images);
    if (4 * distinct_rows(want, rows) >= 3 * rows) all.push_back({seed, model, pixels, want});
  }
  REQUIRE(all.size() == count);
  return all;
}

}  // namespace espalier::exports
