// Zeros and clusters are checked after every stage, in the model, its levels and the file.
#include "compress/recipe/promises.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "compress/recipe/packed.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/find_parameter.hpp"
#include "tests/compress/recipe/networks.hpp"

using namespace espalier;
using tests::small_network;
namespace {

const datasets::Dataset& digits() {
  static const auto data = datasets::synthetic_digits({.train = 128, .test = 10});
  return *data.train;
}

Tensor& weight(Sequential& model, std::size_t layer) {
  return find_parameter(*model.layers()[layer].layer, "weight")->latent().mutable_value();
}

// Runs the recipe; `tamper` is called after its first stage.
std::optional<quantize::IntegerNetwork> run(Sequential& model, const recipe::Recipe& recipe,
                                            const std::function<void()>& tamper) {
  return run_recipe(model, digits(), recipe, {.quiet = true, .on_stage = [&](const auto& r) {
                                                if (r.index == 0) tamper();
                                              }});
}

void check_refused(const std::function<void()>& work, const std::string& message) {
  try {
    work();
    FAIL("not refused: " << message);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInternal);
    CHECK(error.what() == message);
  }
}

}  // namespace

TEST_CASE("clusters are counted again after a quantize stage behind them") {
  const auto recipe = recipe::parse_recipe(
      R"([{"cluster": {"clusters": 5}, "epochs": 1}, {"quantize": {}, "epochs": 0}])", "r");
  Sequential good = small_network();
  const auto integers = run(good, recipe, [] {});
  for (const auto& layer : integers->layers)
    if (!layer.levels.empty())
      CHECK(std::set<std::int8_t>(layer.levels.begin(), layer.levels.end()).size() == 5);

  Sequential model = small_network();
  check_refused(
      [&] {
        run(model, recipe, [&] {  // a sixth value, on a level of its own
          Tensor& w = weight(model, 3);
          w.mutable_values()[7] = 2 * std::ranges::max(w.values());
        });
      },
      "dense.weight: should hold at most 5 values, holds 6");
}

TEST_CASE("clusters a channel are counted a channel, and the last cluster stage rules") {
  const auto recipe = recipe::parse_recipe(
      R"([{"cluster": {"clusters": 3, "per_channel": true}, "epochs": 0},
          {"cluster": {"clusters": 6, "per_channel": true, "layers": ["dense"]}, "epochs": 0},
          {"quantize": {}, "epochs": 0}])",
      "r");
  Sequential model = small_network();
  const auto integers = run(model, recipe, [] {});
  Tensor &conv = weight(model, 0), &dense = weight(model, 3);
  CHECK(std::set<float>(conv.values().begin(), conv.values().end()).size() > 3);
  CHECK_NOTHROW(recipe::check_promises(model, &*integers, recipe, 2));
  for (int i = 0; i < 3; ++i) dense.mutable_values()[static_cast<std::size_t>(i)] = 7.0f + float(i);
  CHECK_NOTHROW(recipe::check_promises(model, &*integers, recipe, 2));  // three more make six
  check_refused([&] { recipe::check_promises(model, &*integers, recipe, 0); },
                "dense.weight: should hold at most 3 values in a channel, holds 6");
  conv.mutable_values()[25] = 7;  // channel 1
  check_refused([&] { recipe::check_promises(model, &*integers, recipe, 2); },
                "conv.weight: should hold at most 3 values in a channel, holds 4");
}

TEST_CASE("levels are counted as well: clusters and zeros") {
  const auto recipe = recipe::parse_recipe(
      R"([{"prune": {"sparsity": 0.5, "schedule": "constant"}, "epochs": 0},
          {"cluster": {"clusters": 4}, "epochs": 0}, {"quantize": {}, "epochs": 0}])",
      "r");
  Sequential model = small_network();
  auto integers = *run(model, recipe, [] {});
  const auto dense =
      std::ranges::find_if(integers.layers, [](const auto& l) { return l.name == "dense"; });
  const auto zero = std::ranges::find(dense->levels, 0);
  REQUIRE(zero != dense->levels.end());
  const auto other = std::ranges::find_if(dense->levels, [](auto level) { return level != 0; });
  *zero = *other;  // still four values
  check_refused([&] { recipe::check_promises(model, &integers, recipe, 2); },
                "dense.weight's levels: should hold 1920 zeros, hold 1919");
  *zero = 3;
  check_refused([&] { recipe::check_promises(model, &integers, recipe, 2); },
                "dense.weight's levels: should hold at most 4 values, holds 5");
}

TEST_CASE("clusters hold in the file, whatever type its weights have") {
  for (const char* last :
       {R"({"float16": {}})", R"({"dynamic_range": {}})", R"({"dynamic_range": {"bits": 4}})",
        R"({"quantize": {}, "epochs": 0})"}) {
    const auto recipe = recipe::parse_recipe(
        R"([{"cluster": {"clusters": 5}, "epochs": 0}, )" + std::string(last) + "]", "r");
    Sequential model = small_network();
    const auto integers = run(model, recipe, [] {});
    auto file = recipe::packed(model, integers ? &*integers : nullptr, {28, 28, 1}, recipe, 1);
    auto& stored = file.layers.back().weight;
    if (stored.is_float())
      stored.values[3] = 9;
    else
      stored.levels[3] = static_cast<std::int8_t>(stored.bits == 4 ? 6 : 33);
    check_refused([&] { recipe::check_promises(file, model, recipe, 1); },
                  "dense.weight in the file: should hold at most 5 values, holds 6");
  }
}
