// Recipes whose stages take batches in parts.
#include <doctest/doctest.h>

#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/recipe/expect.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/recipe/stage_training.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/summary.hpp"
#include "layers/tutorial_models.hpp"
#include "optim/training/training_bytes.hpp"
#include "tests/compress/recipe/networks.hpp"

using namespace espalier;
namespace {

const datasets::TrainTest& digits() {
  static const auto data = datasets::synthetic_digits({.train = 300, .test = 40});
  return data;
}

constexpr const char* kRecipe = R"([
  {"epochs": 1, "batch_size": 32, "label_smoothing": 0.1},
  {"prune": {"sparsity": 0.5, "frequency_steps": 2}, "epochs": 1},
  {"quantize": {"weight_bits": 5}, "epochs": 1}])";

Bytes by_recipe(int parts, int threads, const char* recipe = kRecipe) {
  const ThreadsInScope scope(threads);
  Sequential model = tests::small_network();
  const auto integers =
      run_recipe(model, *digits().train, recipe::parse_recipe(recipe, "recipe.json"),
                 {.parts = parts, .quiet = true});
  return format::write(integers ? pack::pack(*integers, {28, 28, 1})
                                : pack::pack(model, {28, 28, 1}));
}

}  // namespace

TEST_CASE("a recipe in parts writes the same bytes with one thread or two, whole in quantize") {
  const Bytes two = by_recipe(2, 1);
  CHECK(by_recipe(2, 2) == two);
  CHECK(by_recipe(1, 1) != two);
  // Parts change nothing where no stage takes them.
  constexpr const char* kWhole = R"([{"quantize": {}, "epochs": 1}])";
  CHECK(by_recipe(2, 1, kWhole) == by_recipe(1, 1, kWhole));
}

TEST_CASE("which stages take batches in parts") {
  const auto parts_of = [](const std::string& stage) {
    const auto recipe = recipe::parse_recipe("[" + stage + "]", "recipe.json");
    return recipe::batch_parts(recipe.stages.back(), 3);
  };
  CHECK(parts_of(R"({"epochs": 1})") == 3);
  CHECK(parts_of(R"({"prune": {}, "epochs": 1})") == 3);
  CHECK(parts_of(R"({"units": {}, "epochs": 1})") == 3);
  CHECK(parts_of(R"({"quantize": {}, "epochs": 1})") == 1);
  CHECK(parts_of(R"({"cluster": {}, "epochs": 1})") == 1);
  CHECK(parts_of(R"({"rate": {}, "epochs": 1})") == 1);
  CHECK(parts_of(R"({"epochs": 1, "distill": {"teacher": "teacher.safetensors"}})") == 1);
}

TEST_CASE("batch norm is refused in parts by its name, in a first look, too") {
  Sequential model = large_model(1);
  const auto plain = recipe::parse_recipe(R"([{"epochs": 1}])", "recipe.json");
  CHECK_THROWS_WITH_AS(run_recipe(model, *digits().train, plain, {.parts = 2, .quiet = true}),
                       doctest::Contains("wants whole batches, not 2 parts of each"), Error);
  CHECK_THROWS_AS(recipe::expect([] { return large_model(1); }, *digits().train, plain, {}, 2),
                  Error);
  CHECK(
      recipe::expect([] { return tests::small_network(); }, *digits().train, plain, {}, 2).seconds >
      0);
}

TEST_CASE(
    "parts take memory: of gradients and effective weights each, and of the images once more") {
  Sequential model = tests::small_network();
  const std::int64_t parameters = count_parameters(model).total(), images = 64 * 784;
  const auto bytes = [&](bool transformed, int parts) {
    return training::training_bytes(model, {28, 28, 1},
                                    {.batch_size = 64, .transformed = transformed, .parts = parts});
  };
  for (const bool transformed : {false, true}) {
    const std::int64_t floats = (transformed ? 2 : 1) * 2 * parameters + images;
    const auto more = static_cast<double>(bytes(transformed, 3) - bytes(transformed, 1));
    CHECK(more == doctest::Approx(4 * 1.25 * static_cast<double>(floats)).epsilon(1e-4));
  }
}
