#include "compress/prune/sensitivity.hpp"

#include <doctest/doctest.h>

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
  const prune::Sensitivity s{.baseline = 0.98,
                             .sparsities = {0.1f, 0.99f},
                             .tensors = {{"conv\"1.weight", {0.9744, 0.5}}, {"d.weight", {1, 0}}}};
  CHECK(prune::json_of(s) == R"({"baseline": 0.98, "sparsities": [0.1, 0.99], "tensors": )"
                             R"({"conv\"1.weight": [0.9744, 0.5], "d.weight": [1, 0]}})");
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
