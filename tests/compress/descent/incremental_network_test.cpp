#include "compress/descent/incremental_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "compress/runtime/model.hpp"
#include "tests/compress/descent/networks.hpp"

using namespace espalier;
using namespace espalier::descent;
namespace {

std::vector<Change> some_changes(const format::PackedModel& model, int count) {
  Rng rng(11, "changes");
  std::vector<Change> all;
  while (static_cast<int>(all.size()) < count) {
    const std::size_t l = rng.below(model.layers.size());
    const auto& layer = model.layers[l];
    if (layer.weight.levels.empty()) continue;
    const bool bias = rng.below(4) == 0;
    const std::size_t i = rng.below(bias ? layer.bias_levels.size() : layer.weight.levels.size());
    const int level = bias ? 0 : layer.weight.levels[i];
    const int to = static_cast<int>(rng.below(15)) - 7;
    if (to != level) all.push_back({l, bias, i, to - level});
  }
  return all;
}

format::PackedModel changed(format::PackedModel model, const Change& change) {
  auto& layer = model.layers[change.layer];
  if (change.bias)
    layer.bias_levels[change.index] += change.by;
  else
    layer.weight.levels[change.index] =
        static_cast<std::int8_t>(layer.weight.levels[change.index] + change.by);
  return model;
}

}  // namespace

TEST_CASE("the incremental network's logits are the reference executor's, before any change") {
  for (const auto& model : {network(), separable_network()}) {
    const Tensor x = images(9);
    const IncrementalNetwork incremental(model, x);
    const Tensor want = runtime::Model(model).run(x);
    REQUIRE(want.shape() == Shape{9, 3});
    for (std::int64_t n = 0; n < 9; ++n)
      CHECK(std::ranges::equal(incremental.logits(n),
                               want.values().subspan(static_cast<std::size_t>(3 * n), 3)));
  }
}

TEST_CASE("a change tried is the model changed, bit for bit, and leaves no trace") {
  for (const auto& model : {network(), separable_network()}) {
    const Tensor x = images(4);
    IncrementalNetwork incremental(model, x);
    int different = 0;
    for (const Change& change : some_changes(model, 150)) {
      const Tensor want = runtime::Model(changed(model, change)).run(x);
      for (std::int64_t n = 0; n < 4; ++n) {
        const auto before = incremental.logits(n);
        const auto got = incremental.logits_after(change, n);
        REQUIRE(std::ranges::equal(got, want.values().subspan(static_cast<std::size_t>(3 * n), 3)));
        different += !std::ranges::equal(got, before);
      }
    }
    CHECK(different > 200);  // else nothing was tested
    CHECK(incremental.model() == model);
  }
}

TEST_CASE("changes made add up") {
  for (auto model : {network(), separable_network()}) {
    const Tensor x = images(4);
    IncrementalNetwork incremental(model, x);
    for (const Change& proposed : some_changes(model, 60)) {
      Change change = proposed;
      const auto& layer = model.layers[change.layer];
      if (!change.bias)
        change.by = std::clamp(layer.weight.levels[change.index] + change.by, -7, 7) -
                    layer.weight.levels[change.index];
      model = changed(model, change);
      incremental.make(change);
    }
    CHECK(incremental.model() == model);
    const Tensor want = runtime::Model(model).run(x);
    for (std::int64_t n = 0; n < 4; ++n)
      CHECK(std::ranges::equal(incremental.logits(n),
                               want.values().subspan(static_cast<std::size_t>(3 * n), 3)));
  }
}

TEST_CASE("the incremental network refuses what it cannot follow") {
  auto with_norm = network();
  format::PackedLayer norm;
  norm.kind = format::LayerKind::kBatchNorm;
  norm.name = "norm";
  norm.multiplier.assign(5, 1), norm.offset.assign(5, 0), norm.output = {0.02f, 50};
  with_norm.layers.insert(with_norm.layers.begin() + 1, norm);
  CHECK_THROWS_WITH_AS(
      IncrementalNetwork(with_norm, images(1)),
      "IncrementalNetwork: layer 'norm' is batch norm: fold it into the layer before it", Error);
  CHECK_THROWS_AS(IncrementalNetwork(network(), Tensor({1, 8, 9, 2})), Error);
}
