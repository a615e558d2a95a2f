// The learning rate drops, and training ends, where the validation loss falls no more.
#include "optim/training/watch.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/fit.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using namespace espalier::training;
namespace {

// Each value of the model becomes v.
void set(Layer& model, float v) {
  model.visit({.parameter =
                   [&](const std::string&, Parameter& p) {
                     Tensor value = p.latent().value();  // shares its memory
                     value.copy_from(Tensor::full(p.latent().shape(), v));
                   },
               .state = [](const std::string&, Tensor&) {}});
}

Sequential tiny() {
  Rng rng(1, "init");
  Sequential model;
  model.add("dense", Dense({.in = 2, .out = 2}, rng));
  return model;
}

}  // namespace

TEST_CASE("a watch stops after so many epochs in a row, and puts the best weights back") {
  Sequential model = tiny();
  Watch watch({.stop_after = 3}, model);
  const std::vector<double> losses = {2,   1,   1.5,
                                      0.5, 0.5, std::numeric_limits<double>::quiet_NaN()};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    set(model, static_cast<float>(i));
    watch.after_epoch(losses[i]);
    CHECK(!watch.stopped());
    CHECK(watch.rate() == 1);
  }
  set(model, 9);
  watch.after_epoch(0.7);
  CHECK(watch.stopped());
  watch.restore_best();
  CHECK(values_of(model) == std::vector<float>(6, 3.0f));  // of the first 0.5
}

TEST_CASE("a plateau lowers the rate, and again, from the last drop on") {
  Sequential model = tiny();
  Watch watch({.drop_after = 2, .drop_factor = 0.5f}, model);
  const auto after = [&](double loss) {
    watch.after_epoch(loss);
    return watch.rate();
  };
  CHECK(after(1) == 1);
  CHECK(after(1) == 1);
  CHECK(after(1) == 0.5f);
  CHECK(after(2) == 0.5f);
  CHECK(after(0.9) == 0.5f);
  CHECK(after(0.95) == 0.5f);
  CHECK(after(0.9) == 0.25f);
  CHECK(!watch.stopped());
  const auto before = values_of(model);
  watch.restore_best();  // keeps none
  CHECK(values_of(model) == before);
  CHECK_THROWS_AS(Watch({.stop_after = -1}, model), Error);
  CHECK_THROWS_AS(Watch({.drop_after = 1, .drop_factor = 1}, model), Error);
}

TEST_CASE("a watched run that is stopped anywhere and resumed computes the same bits") {
  const auto data = datasets::synthetic_digits({.train = 96, .test = 40});
  const auto folder =
      std::filesystem::temp_directory_path() / ("espalier-watch-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  FitOptions options{.epochs = 30,
                     .batch_size = 32,
                     .learning_rate = 0.03f,  // too much: the validation loss rises soon
                     .quiet = true,
                     .validation = data.test.get(),
                     .watch = WatchOptions{.stop_after = 4, .drop_after = 2}};
  Sequential straight = conv_model();
  const auto reports = fit(straight, *data.train, options);
  const auto epochs = static_cast<int>(reports.size());
  REQUIRE(epochs < 30);
  REQUIRE(epochs > 4);
  CHECK(reports.back().rate < 0.5f);
  // The best epoch's weights are there, not the last one's.
  double lowest = 1e9;
  for (const auto& r : reports) lowest = std::min(lowest, r.validation->loss);
  CHECK(evaluate(straight, *data.test).loss == doctest::Approx(lowest).epsilon(1e-6));
  CHECK(lowest < reports.back().validation->loss);

  for (int stop = 1; stop <= epochs; ++stop) {
    options.checkpoint = folder / std::to_string(stop);
    options.on_epoch_end = [&](const EpochReport& r) { return r.epoch != stop; };
    Sequential first = conv_model();
    fit(first, *data.train, options);
    options.on_epoch_end = nullptr;
    Sequential second = conv_model(/*seed=*/7);
    const auto rest = fit(second, *data.train, options);
    CHECK(static_cast<int>(rest.size()) == epochs - stop);
    CHECK(values_of(second) == values_of(straight));
    if (!rest.empty()) CHECK(rest.back().rate == reports.back().rate);
  }
  // Another watch is another run.
  options.watch->drop_after = 3;
  Sequential other = conv_model();
  CHECK_THROWS_AS(fit(other, *data.train, options), Error);
  options.validation = nullptr;
  options.checkpoint.clear();
  CHECK_THROWS_AS(fit(other, *data.train, options), Error);
  std::filesystem::remove_all(folder);
}
