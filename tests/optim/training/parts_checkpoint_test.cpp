// Runs in parts that are stopped and go on.
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "core/archive/archive.hpp"
#include "core/base/interrupt.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/fit.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using namespace espalier::training;
namespace {

Sequential dropping_model(std::uint64_t seed = 1) {
  Rng rng(seed, "init");
  Sequential model;
  model.add("flatten", Flatten())
      .add("dense1", Dense({.in = 784, .out = 20}, rng))
      .add("relu", Relu())
      .add("dropout", Dropout(0.3f))
      .add("dense2", Dense({.in = 20, .out = 10}, rng));
  return model;
}

}  // namespace

TEST_CASE("a run in parts goes on after Ctrl-C to the bits of one that was never stopped") {
  const ThreadsInScope scope(2);
  const auto data = datasets::synthetic_digits({.train = 150, .test = 10});
  const auto file = std::filesystem::temp_directory_path() /
                    ("espalier-parts-" + std::to_string(::getpid()) + ".safetensors");
  const FitOptions whole{.epochs = 3, .batch_size = 32, .quiet = true, .parts = 3};
  Sequential straight = dropping_model();
  fit(straight, *data.train, whole);

  FitOptions options = whole;
  options.checkpoint = file;
  options.on_step = [](const StepReport& r) {
    if (r.info.step == 6) ::raise(SIGINT);  // the second of epoch 2
  };
  install_interrupt_handler();
  Sequential first = dropping_model();
  CHECK_THROWS_AS(fit(first, *data.train, options), Error);
  clear_interrupt();
  ::signal(SIGINT, SIG_DFL);
  options.on_step = nullptr;
  CHECK(load_archive(file).metadata.at("setting.parts") == "3");

  Sequential other = dropping_model();
  options.parts = 1;
  CHECK_THROWS_WITH_AS(fit(other, *data.train, options),
                       doctest::Contains("is of a run with parts 3, this one has 1"), Error);
  options.parts = 3;
  Sequential second = dropping_model(/*seed=*/7);
  std::string heard;
  options.warn = [&](const std::string& text) { heard += text; };
  {
    const ThreadsInScope one(1);  // which changes no bit
    fit(second, *data.train, options);
  }
  CHECK(heard.empty());
  CHECK(values_of(second) == values_of(straight));

  // Whole batches are not named, as in files that are older than parts.
  std::filesystem::remove(file);
  options.parts = 1, options.epochs = 2;
  fit(second, *data.train, options);
  CHECK(!load_archive(file).metadata.contains("setting.parts"));
  CHECK(fit(second, *data.train, options).empty());
  {
    const ThreadsInScope one(1);  // of whole batches it does
    CHECK(fit(second, *data.train, options).empty());
  }
  CHECK(heard.find("threads was 2 and is 1") != std::string::npos);
  options.parts = 2;
  CHECK_THROWS_WITH_AS(fit(second, *data.train, options),
                       doctest::Contains("is of a run with parts 1, this one has 2"), Error);
  std::filesystem::remove(file);
}
