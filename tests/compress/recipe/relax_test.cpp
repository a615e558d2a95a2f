// Which layer costs most, and what is given back to it.
#include "compress/recipe/relax.hpp"

#include <doctest/doctest.h>

#include <set>

#include "compress/pack/pack.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/copy_parameters.hpp"
#include "optim/training/evaluate.hpp"
#include "tests/compress/recipe/networks.hpp"

using namespace espalier;
using tests::small_network;
namespace {

double accuracy(const format::PackedModel& packed, const datasets::Dataset& data) {
  const runtime::Model model(packed);
  std::int64_t right = 0;
  datasets::for_each_batch(data, data.size(), 100, [&](const datasets::Batch& batch) {
    const auto guesses = training::predictions(model.run(batch.images));
    for (std::size_t i = 0; i < guesses.size(); ++i) right += guesses[i] == batch.labels[i];
  });
  return static_cast<double>(right) / static_cast<double>(data.size());
}

recipe::Recipe parsed(const std::string& text) {
  return recipe::parse_recipe(text, "recipe.json");
}

}  // namespace

TEST_CASE("the layer that a recipe spoils costs most, alone, and the other next to nothing") {
  const auto data = datasets::synthetic_digits({.train = 600, .test = 300});
  Sequential model = small_network();
  run_recipe(model, *data.train, parsed(R"([{"epochs": 8}])"), {.quiet = true});
  const auto floats = pack::pack(model, {28, 28, 1});
  for (const std::string spoilt : {"conv", "dense"}) {
    CAPTURE(spoilt);
    Sequential copy = small_network();
    copy_parameters(model, copy);
    const auto network =
        run_recipe(copy, *data.train,
                   parsed(R"([{"prune": {"sparsity": 0.995, "layers": [")" + spoilt +
                          R"("]}, "epochs": 0}, {"quantize": {}, "epochs": 0}])"),
                   {.quiet = true});
    const auto compressed = pack::pack(*network, {28, 28, 1});
    const auto costs = recipe::layer_costs(floats, compressed,
                                           [&](const auto& m) { return accuracy(m, *data.test); });
    REQUIRE(costs.size() == 2);
    CHECK(costs[0].layer == spoilt);
    CHECK(costs[0].drop > 0.1);
    CHECK(std::abs(costs[1].drop) < 0.02);
    const auto sparsities = recipe::layer_sparsities(compressed);
    CHECK(sparsities.at(spoilt) > 0.98f);
    CHECK(sparsities.at(spoilt == "conv" ? "dense" : "conv") < 0.1f);
  }
}

TEST_CASE("weights come back first, then bits, then floats, then nothing is left") {
  const std::map<std::string, float> sparsities{{"conv", 0.6f}, {"dense", 0.9f}};
  Sequential model = small_network();
  recipe::Recipe now = parsed(
      R"([{"prune": {"sparsity": 0.8, "allocation": "global"}}, {"quantize": {"weight_bits": 5}}])");
  std::vector<std::string> changes;
  while (const auto next = recipe::relaxed(now, "dense", sparsities, model)) {
    changes.push_back(next->change);
    CHECK(next->to_floats == (next->change == "dense: 8 bits to floats"));
    now = next->recipe;
    REQUIRE(changes.size() < 20);
  }
  CHECK(changes == std::vector<std::string>{
                       "dense: sparsity 90 % to 80 %", "dense: sparsity 80 % to 60 %",
                       "dense: sparsity 60 % to 20 %", "dense: sparsity 20 % to 0 %",
                       "dense: 5 to 7 bits", "dense: 7 to 8 bits", "dense: 8 bits to floats"});
  const auto& prune = *now.stages[0].prune;
  CHECK(prune.allocation == recipe::Sharing::kPerLayer);  // as global came out
  CHECK(prune.sparsities ==
        std::map<std::string, float>{{"conv.weight", 0.6f}, {"dense.weight", 0.0f}});
  CHECK(now.stages[1].quantize->float_layers == std::vector<std::string>{"dense"});
  // And it is a recipe, which reads as it was written.
  CHECK(recipe::format_recipe(parsed(recipe::format_recipe(now))) == recipe::format_recipe(now));
}

TEST_CASE("what the recipe does not ask of a layer cannot be given back") {
  const std::map<std::string, float> sparsities{{"conv", 0.6f}, {"dense", 0.9f}};
  Sequential model = small_network();
  const auto prunes = parsed(R"([{"prune": {"sparsity": 0.8, "layers": ["dense"]}}])");
  CHECK_FALSE(recipe::relaxed(prunes, "conv", sparsities, model));
  CHECK(recipe::relaxed(prunes, "dense", sparsities, model));
  const auto n_of_m = parsed(R"([{"prune": {"structure": "n_of_m"}}, {"quantize": {}}])");
  CHECK(recipe::relaxed(n_of_m, "conv", sparsities, model)->change == "conv: 8 bits to floats");
  const auto named = parsed(R"([{"quantize": {"weights": "ternary", "layer_bits": {"conv": 6}}}])");
  CHECK(recipe::relaxed(named, "conv", sparsities, model)->change == "conv: 6 to 8 bits");
  CHECK(recipe::relaxed(named, "dense", sparsities, model)->change == "dense: 2 to 4 bits");
}

TEST_CASE("clusters double for all, then the layer goes without; stored types keep its floats") {
  Sequential model = small_network();
  const auto changes_of = [&](recipe::Recipe now) {
    std::vector<std::string> changes;
    while (const auto next = recipe::relaxed(now, "dense", {}, model)) {
      changes.push_back(next->change);
      now = next->recipe;
      REQUIRE(changes.size() < 20);
      CHECK(recipe::format_recipe(parsed(recipe::format_recipe(now))) ==
            recipe::format_recipe(now));
    }
    return changes;
  };
  CHECK(changes_of(parsed(R"([{"cluster": {"clusters": 12}}, {"dynamic_range": {"bits": 4}}])")) ==
        std::vector<std::string>{"all layers: 12 to 24 clusters", "all layers: 24 to 48 clusters",
                                 "all layers: 48 to 64 clusters", "dense: 64 clusters to none",
                                 "dense: 4 bits to floats"});
  CHECK(changes_of(parsed(R"([{"cluster": {"clusters": 100, "layers": ["dense"]}}])")).empty());
  CHECK(changes_of(parsed(R"([{"cluster": {"clusters": 100, "layers": ["conv"]}}])")).empty());
  CHECK(changes_of(parsed(R"([{"float16": {}}])")) ==
        std::vector<std::string>{"dense: 16 bits to floats"});
  // And it runs: 64 values in conv, more in dense.
  const auto data = datasets::synthetic_digits({.train = 200, .test = 10});
  auto now = parsed(R"([{"cluster": {"clusters": 64}, "epochs": 1}])");
  const auto next = recipe::relaxed(now, "dense", {}, model);
  REQUIRE(next);
  run_recipe(model, *data.train, next->recipe, {.quiet = true});
  const auto packed = pack::pack(model, {28, 28, 1});
  std::map<std::string, std::size_t> values;
  for (const auto& l : packed.layers)
    values[l.name] = std::set<float>(l.weight.values.begin(), l.weight.values.end()).size();
  CHECK(values["conv"] <= 64);
  CHECK(values["dense"] > 1000);
}

TEST_CASE("only what a stage selects is named, and the relaxed recipe runs") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 10});
  for (const std::string select : {R"("select": "dense_weights")", R"("min_values": 1000)"}) {
    Sequential model = small_network();
    const auto recipe = parsed(R"([{"prune": {"sparsity": 0.9, "allocation": "global", )" + select +
                               R"(}, "epochs": 1}, {"quantize": {}, "epochs": 1}])");
    const auto next = recipe::relaxed(recipe, "dense", {{"conv", 0.0f}, {"dense", 0.9f}}, model);
    REQUIRE(next);
    CHECK(next->recipe.stages[0].prune->sparsities.size() == 1);
    const auto network = run_recipe(model, *data.train, next->recipe, {.quiet = true});
    const auto sparsities = recipe::layer_sparsities(pack::pack(*network, {28, 28, 1}));
    CHECK(sparsities.at("dense") == doctest::Approx(0.8).epsilon(0.02));
    CHECK(sparsities.at("conv") < 0.1f);
  }
}
