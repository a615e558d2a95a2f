// Dead units and their order where depthwise convolutions share them.
#include <doctest/doctest.h>

#include <algorithm>

#include "compress/pack/hidden_units.hpp"
#include "compress/runtime/model.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using format::LayerKind;
using format::PackedLayer;
namespace {

PackedLayer linear(LayerKind kind, std::vector<std::int64_t> shape, bool relu, Rng& rng) {
  PackedLayer layer;
  layer.kind = kind;
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i) {
    const int size = 1 + static_cast<int>(rng.below(3));
    layer.weight.levels.push_back(static_cast<std::int8_t>(rng.below(2) ? size : -size));
  }
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    layer.bias_levels.push_back(static_cast<std::int32_t>(rng.below(200)) - 60);
    layer.weight.scales.push_back(rng.uniform(0.02f, 0.08f));
  }
  if (kind != LayerKind::kDense) layer.kernel_h = shape[1], layer.kernel_w = shape[2];
  layer.weight.shape = std::move(shape);
  layer.weight.bits = 3;
  layer.relu = relu;
  if (relu) layer.output = {0.02f, 0};
  return layer;
}

// depthwise of the image, conv 2 -> 5, depthwise, max pool, depthwise, conv 5 -> 3 1x1, depthwise,
// mean, dense -> 2
format::PackedModel model() {
  Rng rng(7, "units");
  format::PackedModel m;
  m.input_shape = {12, 12, 2};
  m.input = {1 / 127.0f, 0};
  const auto depthwise = [&](std::int64_t channels) {
    PackedLayer layer = linear(LayerKind::kDepthwiseConv2d, {channels, 3, 3, 1}, true, rng);
    layer.pad_top = layer.pad_left = layer.pad_bottom = layer.pad_right = 1;
    return layer;
  };
  PackedLayer pool, mean;
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  mean.kind = LayerKind::kAveragePool2d;
  mean.kernel_h = mean.kernel_w = 5;
  m.layers.push_back(depthwise(2));
  m.layers.push_back(linear(LayerKind::kConv2d, {5, 3, 3, 2}, true, rng));
  m.layers.push_back(depthwise(5));
  m.layers.push_back(pool);
  m.layers.push_back(depthwise(5));
  m.layers.push_back(linear(LayerKind::kConv2d, {3, 1, 1, 5}, true, rng));
  m.layers.push_back(depthwise(3));
  m.layers.push_back(mean);
  m.layers.push_back(linear(LayerKind::kDense, {2, 3}, false, rng));
  return m;
}

void silence_inputs(PackedLayer& layer, std::size_t units, std::size_t unit) {
  auto& w = layer.weight.levels;
  for (std::size_t i = unit; i < w.size(); i += units) w[i] = 0;
}

void silence_row(PackedLayer& layer, std::size_t unit, std::int32_t bias) {
  auto& w = layer.weight.levels;
  const std::size_t stride = w.size() / static_cast<std::size_t>(layer.weight.shape[0]);
  for (std::size_t i = 0; i < stride; ++i) w[unit * stride + i] = 0;
  layer.bias_levels[unit] = bias;
}

std::vector<float> logits(const format::PackedModel& packed) {
  Rng rng(3, "pixels");
  Tensor images({20, 12, 12, 2});
  rng.fill_uniform(images.mutable_values());
  const Tensor y = runtime::Model(packed).run(images);
  return {y.values().begin(), y.values().end()};
}

std::vector<std::int64_t> widths(const format::PackedModel& m) {
  std::vector<std::int64_t> all;
  for (const auto& layer : m.layers)
    if (!layer.weight.shape.empty()) all.push_back(layer.weight.shape[0]);
  return all;
}

}  // namespace

TEST_CASE("a separable model whose units all work stays as it is, the image's channels too") {
  auto m = model();
  silence_row(m.layers[0], 1, -9);  // a channel of the image that nobody sees
  const auto before = m;
  pack::remove_dead_units(m);
  CHECK(m == before);
}

TEST_CASE("a unit goes from the convolution and every depthwise layer behind it together") {
  auto m = model();
  silence_row(m.layers[1], 0, -5);  // always 0, but the depthwise bias speaks
  m.layers[2].bias_levels[0] = 40;
  silence_row(m.layers[1], 1, -5);  // 0, and so are the depthwise ones behind it
  m.layers[2].bias_levels[1] = -1, m.layers[4].bias_levels[1] = 0;
  silence_row(m.layers[4], 3, -2);    // works up to the last depthwise
  silence_inputs(m.layers[5], 5, 4);  // read by none
  silence_row(m.layers[6], 2, 0);     // in the second group
  const auto wanted = logits(m);
  pack::remove_dead_units(m);
  CHECK(widths(m) == std::vector<std::int64_t>{2, 2, 2, 2, 2, 2, 2});
  CHECK(m.layers[5].weight.shape[3] == 2);
  CHECK(m.layers[8].weight.shape[1] == 2);
  CHECK(std::ranges::equal(logits(m), wanted));
  CHECK(m.layers[2].bias_levels[0] == 40);
}

TEST_CASE("one unit of a group stays, whatever is dead") {
  auto m = model();
  for (std::size_t u = 0; u < 5; ++u)
    silence_row(m.layers[2], u, -1), m.layers[4].bias_levels[u] = 0;
  const auto wanted = logits(m);
  pack::remove_dead_units(m);
  CHECK(m.layers[1].weight.shape[0] == 1);
  CHECK(std::ranges::equal(logits(m), wanted));
}

TEST_CASE("a depthwise layer with a zero point of its own keeps its units") {
  auto m = model();
  silence_row(m.layers[1], 1, -5);
  m.layers[2].bias_levels[1] = 0;
  m.layers[2].relu = false, m.layers[2].output = {0.03f, 40};
  const auto before = m;
  pack::remove_dead_units(m);
  CHECK(m == before);
}

TEST_CASE("sorted units: the depthwise kernels move with their convolution's") {
  auto m = model();
  silence_row(m.layers[2], 1, 30);
  silence_inputs(m.layers[5], 5, 0);
  const auto wanted = logits(m);
  auto scales = m.layers[4].weight.scales;
  pack::sort_units(m);
  CHECK(std::ranges::equal(logits(m), wanted));
  CHECK(m.layers[2].bias_levels[4] == 30);  // the least busy of all
  CHECK(m.layers[4].weight.scales != scales);
  CHECK(std::ranges::is_permutation(m.layers[4].weight.scales, scales));
  const auto sorted = m;
  pack::sort_units(m);
  CHECK(m == sorted);
}

TEST_CASE("a depthwise layer of floats is refused") {
  auto m = model();
  m.layers[2].weight.bits = 32;
  CHECK_THROWS_WITH_AS(pack::remove_dead_units(m), doctest::Contains("quantize first"), Error);
}

TEST_CASE("behind a flatten a depthwise layer has other channels: nothing is shared") {
  auto m = model();
  PackedLayer flatten;
  flatten.kind = LayerKind::kFlatten;
  Rng rng(9, "flat");
  m.layers = {m.layers[1], flatten, linear(LayerKind::kDepthwiseConv2d, {500, 1, 1, 1}, true, rng),
              linear(LayerKind::kDense, {2, 500}, false, rng)};
  silence_row(m.layers[0], 1, -5);
  const auto before = m;
  pack::remove_dead_units(m);
  pack::sort_units(m);
  CHECK(m == before);
}
