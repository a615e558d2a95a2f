// A run too short for its schedule: it is said, and the end is met all the same.
#include "compress/prune/schedule_warning.hpp"

#include <doctest/doctest.h>

#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
using prune::schedule_warning;

TEST_CASE("a schedule that the masks follow closely is no reason to warn") {
  const auto curve = prune::polynomial_sparsity({.initial = 0.5f, .final = 0.8f});
  CHECK(schedule_warning(curve, 100, 10'000).empty());
  CHECK(schedule_warning(curve, 1, 10).empty());
  CHECK(schedule_warning(curve, 100, 101).empty());  // the last step is a regular one
  CHECK(schedule_warning(prune::polynomial_sparsity({.end = 0.5f}), 20, 60).empty());
  CHECK(schedule_warning(prune::constant_sparsity(0.8f), 100, 10).empty());
  CHECK(schedule_warning(prune::constant_sparsity(0.8f, 0.5f), 100, 10).empty());  // at its begin
  CHECK(schedule_warning(curve, 100, 1).empty());
}

TEST_CASE("a run too short for the schedule is warned of, with figures and remedy") {
  const std::string text =
      schedule_warning(prune::polynomial_sparsity({.initial = 0.5f, .final = 0.8f}), 100, 50);
  CHECK(text ==
        "the run has 50 steps, and a mask each 100: they come to a sparsity of 50.0 %, the last "
        "step makes it 80.0 % and nothing is trained after it; lower frequency_steps, end the "
        "schedule earlier, or train longer");
  CHECK_FALSE(schedule_warning(prune::polynomial_sparsity({}), 100, 150).empty());
  CHECK_FALSE(schedule_warning(prune::constant_sparsity(0.8f, 1.0f), 10, 99).empty());
  CHECK_FALSE(schedule_warning(prune::polynomial_sparsity({.begin = 0.3f}), 100, 50).empty());
}

TEST_CASE("the pruners warn once, and meet the end to the weight") {
  const auto data = datasets::synthetic_digits({.train = 96, .test = 10});
  for (const std::int64_t frequency : {1, 2, 7, 100}) {
    Rng rng(1, "init");
    Sequential model;
    model.add("flatten", Flatten())
        .add("dense1", Dense({.in = 784, .out = 10, .init = Init::kHeNormal}, rng))
        .add("relu", Relu())
        .add("dense2", Dense({.in = 10, .out = 10}, rng));
    std::vector<std::string> heard;
    const Warn warn = [&](const std::string& message) { heard.push_back(message); };
    prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.75f}),
                          .frequency_steps = frequency,
                          .warn = warn});
    training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&pruner});  // six steps
    CHECK(heard.size() == (frequency <= 2 ? 0 : 1));
    pruner.bake();
    CHECK(prune::model_sparsity(model) == doctest::Approx(0.75).epsilon(1e-12));
    heard.clear();
    prune::UnitPruner units({.schedule = prune::polynomial_sparsity({.final = 0.5f}),
                             .frequency_steps = frequency,
                             .warn = warn});
    training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&units});
    units.bake();
    CHECK(heard.size() == (frequency <= 2 ? 0 : 1));
    CHECK(prune::remove_zero_units(model, {28, 28, 1}) == 5);
  }
}

TEST_CASE("a run that was stopped before the schedule's end is warned of when it is baked") {
  const auto data = datasets::synthetic_digits({.train = 64, .test = 10});
  Rng rng(1, "init");
  Sequential model;
  model.add("flatten", Flatten()).add("dense", Dense({.in = 784, .out = 10}, rng));
  std::vector<std::string> heard;
  prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.75f}),
                        .frequency_steps = 1,
                        .warn = [&](const std::string& message) { heard.push_back(message); }});
  training::fit(model, *data.train,
                {.epochs = 3,
                 .quiet = true,
                 .on_epoch_end = [](const training::EpochReport&) { return false; }},
                {&pruner});
  CHECK(heard.empty());
  pruner.bake();
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].find("was stopped where the schedule wants") != std::string::npos);
}
