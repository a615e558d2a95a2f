// Pruning in short runs: masks come often enough, and steps are left after the last.
#include <doctest/doctest.h>

#include <algorithm>

#include "compress/prune/selection.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
using namespace espalier::recipe;

TEST_CASE("a target left open goes by the run's length") {
  const Target open;
  CHECK(open.for_run(1000).frequency_steps == 100);
  CHECK(open.for_run(1000).end == 1);
  CHECK(open.for_run(999).frequency_steps == 49);
  CHECK(open.for_run(999).end == 0.75f);
  CHECK(open.for_run(3).frequency_steps == 1);
  const Target late{.begin = 0.8f};
  CHECK(late.for_run(100).end == doctest::Approx(0.95f));
  CHECK(late.for_run(100).end > late.begin);
  // What the recipe says stays.
  const Target given{.end = 0.5f};
  CHECK(given.for_run(100).end == 0.5f);
  const Target often{.frequency_steps = 7};
  CHECK(often.for_run(100).frequency_steps == 7);
  CHECK(often.for_run(100).end == 1);
  CHECK(options_of(Prune{}).frequency_steps == 100);
}

TEST_CASE("a short run reaches its zeros before its last quarter, and nobody is warned") {
  const auto data = datasets::synthetic_digits({.train = 640, .test = 10});
  Sequential model = small_model(1);
  const Recipe recipe = parse_recipe(R"([{"prune": {"sparsity": 0.9}, "epochs": 8}])", "short");
  std::vector<double> sparsities;  // after each epoch of 5 steps
  Target used;
  run_recipe(model, *data.train, recipe,
             {.quiet = true,
              .on_stage = [&](const StageReport& report) { used = report.stage.prune->target; },
              .on_epoch =
                  [&](const StageReport& report, const training::EpochReport&) {
                    std::int64_t zeros = 0, all = 0;
                    report.model.visit({.parameter = [&](const std::string& name, Parameter& p) {
                      if (!prune::weights()(name, p)) return;
                      const Tensor value = p.effective().value();
                      zeros += std::ranges::count(value.values(), 0.0f);
                      all += value.elements();
                    }});
                    sparsities.push_back(static_cast<double>(zeros) / static_cast<double>(all));
                  }});
  CHECK(used.frequency_steps == 2);
  REQUIRE(sparsities.size() == 8);
  CHECK(sparsities[2] < 0.9);
  CHECK(sparsities[6] == doctest::Approx(0.9).epsilon(0.001));  // five steps before the end
  CHECK(sparsities[7] == doctest::Approx(0.9).epsilon(0.001));
}
