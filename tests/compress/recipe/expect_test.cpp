// What a recipe's training is said to take: of its own steps, and without a trace in what it computes.
#include "compress/recipe/expect.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "compress/recipe/run_recipe.hpp"
#include "core/archive/archive.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/training_bytes.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/recipe/networks.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using recipe::parse_recipe;
namespace {

const datasets::Dataset& digits() {
  static const auto data = datasets::synthetic_digits({.train = 1500, .test = 10});
  return *data.train;
}

// Three digits, of which the first to be asked for keeps its step waiting, as kernels do that are made.
class SlowAtFirst final : public datasets::Subset {
 public:
  static constexpr double kFirstSeconds = 0.5;
  SlowAtFirst() : Subset(datasets::synthetic_digits({.train = 3, .test = 10}).train, {0, 1, 2}) {}
  datasets::Example get(std::int64_t i) const override {
    if (!asked_.exchange(true))
      std::this_thread::sleep_for(std::chrono::duration<double>(kFirstSeconds));
    return Subset::get(i);
  }

 private:
  mutable std::atomic<bool> asked_ = false;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("expected seconds are those that training takes, of every stage") {
  const auto three = parse_recipe(R"([{"epochs": 3, "batch_size": 16},
      {"prune": {"sparsity": 0.5}, "epochs": 2, "batch_size": 16},
      {"quantize": {}, "epochs": 3, "batch_size": 16}])",
                                  "recipe.json");
  int made = 0;
  recipe::Expected expected;
  const double looked = seconds_of([&] {
    expected = recipe::expect([&] { return ++made, tests::small_network(); }, digits(), three);
  });
  CHECK(made == 3);
  Sequential model = tests::small_network();
  const double took =
      seconds_of([&] { run_recipe(model, digits(), three, {.quiet = true, .warn = warn_nobody}); });
  CHECK_MESSAGE(expected.seconds > took / 8, expected.seconds, " of ", took);
  CHECK_MESSAGE(expected.seconds < took * 8, expected.seconds, " of ", took);
  CHECK(looked < 5);
  const auto of_epochs = [](const char* text) {
    return recipe::expect([] { return tests::small_network(); }, digits(),
                          parse_recipe(text, "recipe.json"))
        .seconds;
  };
  CHECK(of_epochs(R"([{"epochs": 1}, {"prune": {"sparsity": 0.5}, "epochs": 1999}])") >
        100 * of_epochs(R"([{"epochs": 2}])"));
  CHECK_FALSE(expected.may_end_early);
  CHECK(recipe::expect([] { return tests::small_network(); }, digits(),
                       parse_recipe(R"([{"epochs": 4, "early_stop": 2}])", "recipe.json"))
            .may_end_early);
}

TEST_CASE("many epochs of one batch: what the first step alone takes is not multiplied by epochs") {
  const SlowAtFirst few;
  const double seconds = recipe::expect([] { return tests::small_network(); }, few,
                                        parse_recipe(R"([{"epochs": 2000}])", "recipe.json"))
                             .seconds;
  CHECK(seconds > 0);
  CHECK_MESSAGE(seconds < 2000 * SlowAtFirst::kFirstSeconds / 10, seconds);
}

TEST_CASE("a look at a stage that may stop early, and at one step, is a number") {
  const auto few = datasets::synthetic_digits({.train = 20, .test = 10});
  for (const char* text : {R"([{"epochs": 40, "early_stop": 1}])", R"([{"epochs": 1}])",
                           R"([{"epochs": 2}])", R"([{"epochs": 3}])"}) {
    const double seconds = recipe::expect([] { return tests::small_network(); }, *few.train,
                                          parse_recipe(text, "recipe.json"))
                               .seconds;
    CHECK_MESSAGE((seconds > 0 && seconds < 60), text, ": ", seconds);
  }
}

TEST_CASE("of a run that goes on what is left counts, also behind a stage that stopped early") {
  const tests::Folder folder("expect_test");
  const auto plan = parse_recipe(R"([{"epochs": 400, "batch_size": 64}, {"prune": {"sparsity": 0.5},
      "epochs": 400, "batch_size": 64}])",
                                 "recipe.json");
  const auto left = [&] {
    return recipe::expect([] { return tests::small_network(); }, digits(), plan, folder.path)
        .seconds;
  };
  const auto stopped_at = [&](std::size_t stage, int step) {
    save_archive({.tensors = {}, .metadata = {{"step", std::to_string(step)}}},
                 folder.path / recipe::checkpoint_name(stage));
  };
  const std::int64_t steps = 400 * ((1500 + 63) / 64);
  const double all = left();
  stopped_at(0, 10);  // and then early
  stopped_at(1, static_cast<int>(steps - steps / 100));
  CHECK_MESSAGE(left() < all / 20, left(), " of ", all);
  CHECK(left() > 0);
  stopped_at(1, static_cast<int>(steps));
  CHECK(left() == 0);
  std::filesystem::remove(folder.path / recipe::checkpoint_name(0));
  std::filesystem::remove(folder.path / recipe::checkpoint_name(1));
  stopped_at(0, static_cast<int>(steps - 1));
  CHECK_MESSAGE(left() < 0.9 * all, left(), " of ", all);
}

TEST_CASE("a look changes nothing of what is trained") {
  const auto plan = parse_recipe(R"([{"epochs": 1, "augment": {"shift": 1}},
      {"prune": {"sparsity": 0.5}, "epochs": 1}])",
                                 "recipe.json");
  const auto trained = [&](bool looks) {
    Sequential model = tests::small_network();
    if (looks) recipe::expect([] { return tests::small_network(); }, digits(), plan);
    run_recipe(model, digits(), plan, {.quiet = true, .warn = warn_nobody});
    return values_of(model);
  };
  CHECK(trained(true) == trained(false));
}

TEST_CASE("expected bytes grow with the batch, the network and its passes, as the shapes say") {
  Sequential model = tests::small_network();
  // 28 x 28; conv and relu yield 8 x 8 x 6 each, dense 10. Parameters: 156 and 3850.
  const auto floats = [](std::int64_t parameters, std::int64_t batch, std::int64_t outputs) {
    // One batch is used, one made, and of 4 to 64 ready ones as many as 2 MB hold.
    const std::int64_t ready = std::clamp<std::int64_t>((2 << 20) / (4 * 784 * batch), 4, 64);
    const std::int64_t all =
        parameters * 4006 + batch * (outputs + (784 + 384) + (ready + 2) * 784);
    return 4 * (all + all / 4);
  };
  const std::int64_t outputs = 384 + 384 + 10;
  CHECK(training::training_bytes(model, {28, 28, 1}, {.batch_size = 1}) == floats(4, 1, outputs));
  CHECK(training::training_bytes(model, {28, 28, 1}, {.batch_size = 64}) == floats(4, 64, outputs));
  CHECK(training::training_bytes(model, {28, 28, 1}, {.batch_size = 64, .transformed = true}) ==
        floats(6, 64, 2 * outputs));
  const auto of_stages = [&](const char* text) {
    return recipe::expect([] { return tests::small_network(); }, digits(),
                          parse_recipe(text, "recipe.json"))
        .training_bytes;
  };
  CHECK(of_stages(R"([{"batch_size": 64}, {"batch_size": 8}])") == floats(4, 64, outputs));
  CHECK(of_stages(R"([{"batch_size": 64}, {"quantize": {}, "epochs": 1, "batch_size": 64}])") ==
        floats(6, 64, 2 * outputs));
  CHECK(of_stages(R"([{"quantize": {}, "epochs": 0}])") == 0);
}
