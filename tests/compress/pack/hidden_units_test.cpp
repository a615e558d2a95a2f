#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "compress/pack/hidden_units.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using format::LayerKind;
using format::PackedLayer;
namespace {

PackedLayer of_kind(LayerKind kind) {
  PackedLayer layer;
  layer.kind = kind;
  return layer;
}

PackedLayer linear(LayerKind kind, std::vector<std::int64_t> shape, bool relu, Rng& rng) {
  PackedLayer layer = of_kind(kind);
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i)
    layer.weight.levels.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(7)) - 3));
  for (std::int64_t i = 0; i < shape[0]; ++i)
    layer.bias_levels.push_back(static_cast<std::int32_t>(rng.below(200)) - 100);
  layer.weight.shape = std::move(shape);
  layer.weight.bits = 3;
  layer.weight.scales = {0.05f};
  layer.relu = relu;
  if (relu) layer.output = {0.02f, 0};
  return layer;
}

// conv 1 -> 4, pool, conv 4 -> 3, flatten, dense -> 5, dense -> 2
format::PackedModel model() {
  Rng rng(7, "units");
  format::PackedModel m;
  m.input_shape = {10, 10, 1};
  m.input = {1 / 127.0f, 0};
  PackedLayer conv1 = linear(LayerKind::kConv2d, {4, 3, 3, 1}, true, rng);
  PackedLayer conv2 = linear(LayerKind::kConv2d, {3, 3, 3, 4}, true, rng);
  for (PackedLayer* conv : {&conv1, &conv2}) conv->kernel_h = conv->kernel_w = 3;
  PackedLayer pool = of_kind(LayerKind::kMaxPool2d);
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  m.layers = {conv1,
              pool,
              conv2,
              of_kind(LayerKind::kFlatten),
              linear(LayerKind::kDense, {5, 12}, true, rng),
              linear(LayerKind::kDense, {2, 5}, false, rng)};
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
  Tensor images({20, 10, 10, 1});
  rng.fill_uniform(images.mutable_values());
  const runtime::Model runnable(packed);
  runtime::Session session(runnable, {.batch = 20});
  const auto row = session.run(images);
  return {row.begin(), row.end()};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("a model whose units all work stays as it is") {
  auto m = model();
  const auto before = m;
  pack::remove_dead_units(m);
  CHECK(m == before);
}

TEST_CASE("units that nothing reads, or that stay silent, go; the logits stay to the bit") {
  auto m = model();
  silence_inputs(m.layers[2], 4, 1);  // filter 1 of conv1 is read by none
  silence_row(m.layers[0], 3, -5);    // filter 3 is always 0
  silence_inputs(m.layers[4], 3, 2);  // filter 2 of conv2, through flatten
  silence_row(m.layers[4], 0, 0);     // neuron 0
  silence_row(m.layers[4], 4, 50);    // a constant: it speaks, and stays
  const auto before = logits(m);
  pack::remove_dead_units(m);
  CHECK(m.layers[0].weight.shape == std::vector<std::int64_t>{2, 3, 3, 1});
  CHECK(m.layers[2].weight.shape == std::vector<std::int64_t>{2, 3, 3, 2});
  CHECK(m.layers[4].weight.shape == std::vector<std::int64_t>{4, 8});
  CHECK(m.layers[5].weight.shape == std::vector<std::int64_t>{2, 4});
  CHECK(same_bits(before, logits(m)));
}

TEST_CASE("what only dead units read dies with them, and every layer keeps a unit") {
  auto m = model();
  for (std::size_t unit = 0; unit < 5; ++unit) silence_inputs(m.layers[5], 5, unit);
  const auto before = logits(m);
  pack::remove_dead_units(m);
  CHECK(m.layers[4].weight.shape[0] == 1);
  CHECK(same_bits(before, logits(m)));
}

TEST_CASE("float weights are refused") {
  auto m = model();
  m.layers[4].weight.bits = 32;
  CHECK_THROWS_WITH_AS(pack::remove_dead_units(m), doctest::Contains("quantize first"), Error);
}

TEST_CASE("sorted units: the busiest first, in both layers; the logits stay to the bit") {
  auto m = model();
  silence_row(m.layers[0], 1, 5);  // still speaks: its bias
  silence_inputs(m.layers[5], 5, 0);
  m.layers[4].weight.scales = {0.01f, 0.02f, 0.03f, 0.04f, 0.05f};
  const auto wanted = logits(m);
  const auto scales = m.layers[4].weight.scales;
  pack::sort_units(m);
  CHECK(same_bits(logits(m), wanted));
  const auto nonzeros = [&](std::size_t from, std::size_t to, std::size_t unit) {
    const auto &in = m.layers[from].weight, &out = m.layers[to].weight;
    const auto units = static_cast<std::size_t>(in.shape[0]), stride = in.levels.size() / units;
    int count = 0;
    for (std::size_t k = 0; k < stride; ++k) count += in.levels[unit * stride + k] != 0;
    for (std::size_t k = unit; k < out.levels.size(); k += units) count += out.levels[k] != 0;
    return count;
  };
  for (const auto& [from, to] : {std::pair{0, 2}, {2, 4}, {4, 5}})
    for (std::size_t u = 1; u < static_cast<std::size_t>(m.layers[from].weight.shape[0]); ++u)
      CHECK(nonzeros(from, to, u - 1) >= nonzeros(from, to, u));
  CHECK(std::ranges::is_permutation(m.layers[4].weight.scales, scales));
  const auto sorted = m;
  pack::sort_units(m);
  CHECK(m == sorted);  // once is enough
  m.layers[0].weight.bits = 32;
  CHECK_THROWS_WITH_AS(pack::sort_units(m), doctest::Contains("quantize first"), Error);
}
