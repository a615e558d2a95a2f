#include "compress/prune/sensitivity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compress/prune/pruner.hpp"
#include "layers/dense.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"

using namespace espalier;
namespace {

Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("dense1", Dense({.in = 40, .out = 10}, rng))
      .add("relu", Relu())
      .add("dense2", Dense({.in = 10, .out = 5}, rng));
  return model;
}

Tensor weight(Sequential& model, const std::string& wanted) {
  Tensor found;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (name == wanted) found = p.latent().value().clone();
  }});
  return found;
}

// 0.9 while dense1 holds half its weights and dense2 a fifth of them.
double pretended_accuracy(Layer& layer) {
  auto& model = dynamic_cast<Sequential&>(layer);
  const bool first = prune::model_sparsity(model, prune::named({"dense1"})) <= 0.5;
  const bool second = prune::model_sparsity(model, prune::named({"dense2"})) <= 0.8;
  return first && second ? 0.9 : 0.4;
}

}  // namespace

TEST_CASE("sensitivity: each tensor alone, and the model is as it was") {
  Sequential model = network();
  const Tensor before = weight(model, "dense1.weight");
  const auto result = prune::sensitivity(model, pretended_accuracy,
                                         {.sparsities = {0.2f, 0.5f, 0.8f, 0.9f}, .quiet = true});
  CHECK(result.baseline == 0.9);
  REQUIRE(result.tensors.size() == 2);
  CHECK(result.tensors[0].name == "dense1.weight");
  CHECK(result.tensors[0].weights == 400);
  CHECK(result.tensors[0].accuracies == std::vector<double>{0.9, 0.9, 0.4, 0.4});
  CHECK(result.tensors[1].accuracies == std::vector<double>{0.9, 0.9, 0.9, 0.4});
  CHECK(std::memcmp(weight(model, "dense1.weight").data(), before.data(), before.bytes()) == 0);
  CHECK(prune::table_of(result).find("dense2.weight") != std::string::npos);

  SUBCASE("the choice is the largest sparsity that holds, and prunes as it says") {
    const auto chosen = prune::choose_sparsities(result, 0.1);
    CHECK(chosen.sparsity.at("dense1.weight") == 0.5f);
    CHECK(chosen.sparsity.at("dense2.weight") == 0.8f);
    prune::prune_now(model, {.schedule = prune::constant_sparsity(0.5f), .allocation = chosen});
    CHECK(pretended_accuracy(model) == 0.9);
    CHECK(prune::model_sparsity(model, prune::named({"dense2"})) == 0.8);
  }
}

TEST_CASE("sensitivity as JSON") {
  const prune::Sensitivity s{
      .baseline = 0.98,
      .sparsities = {0.1f, 0.99f},
      .tensors = {{"conv\"\x01.weight", {0.9744, 0.5}}, {"d.weight", {1, 0}}}};
  const Json json = prune::json_of(s);
  CHECK(json.dump() == R"({"baseline":0.98,"sparsities":[0.1,0.99],"tensors":)"
                       R"({"conv\"\u0001.weight":[0.9744,0.5],"d.weight":[1.0,0.0]}})");
  CHECK(Json::parse(json.dump()) == json);
}

TEST_CASE("shares by sensitivity: the whole is met, and each loses as much as the other alone") {
  // a loses 0.4 a whole sparsity from the start; b nothing up to 0.5, then 0.4 within 0.4.
  const prune::Sensitivity s{.baseline = 0.9,
                             .sparsities = {0.5f, 0.9f},
                             .tensors = {{"a", {0.7, 0.54}, 100}, {"b", {0.9, 0.5}, 300}}};
  const auto at = [&](double sparsity) {
    const auto shared = prune::share_by_sensitivity(s, sparsity).sparsity;
    CHECK(0.25 * double{shared.at("a")} + 0.75 * double{shared.at("b")} ==
          doctest::Approx(sparsity));
    return std::pair(double{shared.at("a")}, double{shared.at("b")});
  };
  for (const double sparsity : {0.4, 0.5, 0.7, 0.8}) {
    const auto [a, b] = at(sparsity);
    CHECK(0.4 * a == doctest::Approx(b - 0.5));  // their losses
  }
  const auto [none, some] = at(0.15);  // b alone can do it, without loss
  CHECK(none == 0);
  CHECK(some == doctest::Approx(0.2));
  CHECK(at(0.9) == std::pair(double{0.9f}, double{0.9f}));
  CHECK(at(0).second == 0);
  CHECK_THROWS_WITH_AS(prune::share_by_sensitivity(s, 0.91),
                       "sensitivity: shares sparsities of 0 to 0.9, the largest that was measured; "
                       "got 0.91",
                       Error);
  CHECK_THROWS_AS(prune::share_by_sensitivity(s, -0.1), Error);
  CHECK_THROWS_AS(prune::share_by_sensitivity(s, std::nan("")), Error);
}

TEST_CASE("shares by sensitivity: where a curve is level, and where it rises again") {
  // Both are level from 0.2 to 0.8 at a loss of 0.1: the whole is met all the same.
  const prune::Sensitivity level{
      .baseline = 1,
      .sparsities = {0.2f, 0.8f, 0.9f},
      .tensors = {{"a", {0.9, 0.9, 0.5}, 10}, {"b", {0.9, 0.9, 0.5}, 10}}};
  for (const auto& [name, sparsity] : prune::share_by_sensitivity(level, 0.5).sparsity)
    CHECK(sparsity == doctest::Approx(0.5));
  // What it lost at 0.2 counts at 0.8, whatever luck it has there.
  const prune::Sensitivity lucky{.baseline = 1,
                                 .sparsities = {0.2f, 0.8f},
                                 .tensors = {{"a", {0.5, 1}, 10}, {"b", {0.9, 0.8}, 10}}};
  const auto shared = prune::share_by_sensitivity(lucky, 0.4).sparsity;
  CHECK(shared.at("a") < 0.1f);
  CHECK(shared.at("b") > 0.7f);
}

TEST_CASE("sensitivity of blocks: whole blocks go") {
  Sequential model = network();
  std::int64_t broken = 0, seen = 0;
  prune::sensitivity(
      model,
      [&](Layer& layer) {
        layer.visit({.parameter = [&](const std::string& name, Parameter& p) {
          if (name != "dense1.weight") return;
          const auto w = p.latent().value().values();
          for (std::size_t i = 0; i < w.size(); i += 4) {
            const auto zeros = std::ranges::count(w.subspan(i, 4), 0.0f);
            broken += zeros != 0 && zeros != 4;
            seen += zeros == 4;
          }
        }});
        return 0.5;
      },
      {.sparsities = {0.5f}, .structure = prune::Blocks{.outputs = 1, .inputs = 4}, .quiet = true});
  CHECK(broken == 0);
  CHECK(seen == 50);  // half of 100, once
  CHECK_THROWS_AS(prune::sensitivity(model, [](Layer&) { return 1.0; },
                                     {.structure = prune::NofM{}, .quiet = true}),
                  Error);
}

TEST_CASE("sensitivity: an accuracy that throws leaves the model whole; nonsense is refused") {
  Sequential model = network();
  const Tensor before = weight(model, "dense1.weight");
  int calls = 0;
  const auto throws = [&](Layer&) -> double {
    if (++calls == 3) throw Error(ErrorKind::kInterrupted, "stop");
    return 1;
  };
  CHECK_THROWS_AS(prune::sensitivity(model, throws, {.quiet = true}), Error);
  CHECK(std::memcmp(weight(model, "dense1.weight").data(), before.data(), before.bytes()) == 0);
  CHECK_THROWS_AS(prune::sensitivity(model, throws, {.sparsities = {0.5f, 0.5f}, .quiet = true}),
                  Error);
  CHECK_THROWS_AS(prune::sensitivity(model, throws, {.sparsities = {1.0f}, .quiet = true}), Error);
  CHECK_THROWS_AS(prune::sensitivity(model, throws, {.select = prune::named({"x"}), .quiet = true}),
                  Error);
}
