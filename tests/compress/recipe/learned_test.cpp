// Whether a stage has learned anything, of numbers: by their variance, not by their unit.
#include <doctest/doctest.h>

#include "compress/recipe/run_recipe.hpp"
#include "datasets/feature_rows.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "optim/training/chance.hpp"

using namespace espalier;

TEST_CASE("numbers in a unit of their own have been learned, or not, by their variance") {
  // Targets of a deviation of 300: a loss of thousands is good for them.
  std::vector<float> values, targets;
  for (int i = 0; i < 640; ++i) {
    values.push_back(static_cast<float>(i % 64));
    targets.push_back(15 * static_cast<float>(i % 64));
  }
  const auto rows = [&](float factor) {
    std::vector<float> scaled_targets = targets;
    for (float& t : scaled_targets) t *= factor;
    const auto scalings = datasets::scalings_of(values, 1, std::vector<std::int64_t>{0, 31, 63});
    return datasets::FeatureRows(values, std::vector<int>(640), 1, scalings, scaled_targets);
  };
  struct Outcome {
    double last_loss = 0;
    std::string error;
  };
  const auto outcome = [&](const datasets::Dataset& data, const std::string& recipe) {
    Rng rng(1, "init");
    Sequential model;
    model.add("flatten", Flatten()).add("dense", Dense({.in = 1, .out = 1}, rng));
    Outcome result;
    try {
      run_recipe(model, data, recipe::parse_recipe(recipe, "recipe.json"),
                 {.quiet = true,
                  .on_epoch = [&](const auto&, const auto& e) { result.last_loss = e.loss; }});
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kDiverged);
      result.error = error.what();
    }
    return result;
  };
  const Outcome learned =
      outcome(rows(1), R"([{"epochs": 40, "batch_size": 8, "learning_rate": 2}])");
  CHECK(learned.error == "");
  CHECK(learned.last_loss > 1);
  // One epoch whose first steps cost more than the variance, and whose last ones are good.
  const Outcome steep =
      outcome(rows(1), R"([{"epochs": 1, "batch_size": 8, "learning_rate": 25}])");
  CHECK(steep.error == "");
  CHECK(steep.last_loss > training::variance_of_targets(rows(1)));
  // A small unit: less than 1 is no merit there.
  const Outcome small =
      outcome(rows(1e-4f), R"([{"epochs": 1, "batch_size": 8, "learning_rate": 1e-9}])");
  CHECK(small.last_loss < 1);
  CHECK_MESSAGE(small.error.find("nothing was learned") != std::string::npos, small.error);
  const Outcome idle =
      outcome(rows(1), R"([{"epochs": 1, "batch_size": 8, "learning_rate": 1e-6}])");
  CHECK_MESSAGE(idle.error.find("or divide the targets by their deviation") != std::string::npos,
                idle.error);
}
