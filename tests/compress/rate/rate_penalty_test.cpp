#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <numeric>

#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/rate/rate_penalty.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
namespace {

Sequential small_network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 5, .stride = 2}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 144, .out = 12, .init = Init::kHeNormal}, rng))
      .add("relu2", Relu())
      .add("dense2", Dense({.in = 12, .out = 10}, rng));
  return model;
}

Tensor some_images(const datasets::Dataset& data) {
  std::vector<std::int64_t> indices(60);
  std::iota(indices.begin(), indices.end(), 0);
  return datasets::collate(data, indices).images;
}

std::int64_t nonzeros(const rate::RatePenalty& penalty) {
  std::int64_t all = 0;
  for (const auto& code : penalty.code_length()) all += code.nonzeros;
  return all;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

training::FitOptions fit_options(const rate::RatePenalty::Options& o) {
  return {.epochs = 12,
          .batch_size = 32,
          .learning_rate = o.learning_rate,
          .schedule = o.schedule,
          .quiet = true};
}

}  // namespace

TEST_CASE("what is baked is what was trained, and what the runtime computes from the file") {
  const auto data = datasets::synthetic_digits({.train = 500, .test = 100});
  Sequential model = small_network();
  const rate::RatePenalty::Options options{.lambda = 3e-5f, .learning_rate = 0.03f};
  rate::RatePenalty penalty(options);
  training::fit(model, *data.train, fit_options(options), {&penalty});
  CHECK(training::accuracy(model, *data.test) > 0.7);
  std::int64_t weights = 0;
  for (const auto& code : penalty.code_length()) weights += code.weights;
  CHECK(nonzeros(penalty) < weights / 2);

  const NoGradient guard;
  const Tensor images = some_images(*data.test);
  const Tensor trained = model(Variable(images)).value();
  const std::int64_t kept = nonzeros(penalty);
  penalty.bake();
  CHECK(same_bits(trained.values(), model(Variable(images)).value().values()));

  const Tensor integers = quantize::evaluate(penalty.network(), images);
  // Training sees the image in float, the integers see it on its grid: close, not equal.
  CHECK(training::count_correct(integers, training::predictions(trained)) >= 57);
  auto packed = pack::pack(penalty.network(), {28, 28, 1});
  std::int64_t stored = 0;
  for (const auto& layer : packed.layers) {
    CHECK(layer.weight.scales.size() <= 1);  // one scale a tensor
    for (const auto level : layer.weight.levels) stored += level != 0;
    for (const auto level : layer.bias_levels) stored += level != 0;
  }
  CHECK(stored == kept);
  pack::remove_dead_units(packed);
  const runtime::Model file(packed);
  runtime::Session session(file, {.batch = 60});
  CHECK(same_bits(integers.values(), session.run(images)));
}

TEST_CASE("a bit that costs more leaves fewer of them") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 10});
  std::int64_t before = 1 << 20;
  for (const float lambda : {0.0f, 3e-5f, 1e-3f}) {
    Sequential model = small_network();
    const rate::RatePenalty::Options options{.lambda = lambda, .learning_rate = 0.03f};
    rate::RatePenalty penalty(options);
    training::fit(model, *data.train, fit_options(options), {&penalty});
    CHECK(nonzeros(penalty) < before);
    before = nonzeros(penalty);
  }
}

TEST_CASE("a run that is stopped in any phase goes on to the same bits") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 10});
  const rate::RatePenalty::Options options{.lambda = 3e-5f, .learning_rate = 0.03f};
  const auto trained = [&](const std::filesystem::path& checkpoint, int stop_after) {
    Sequential model = small_network();
    rate::RatePenalty penalty(options);
    training::FitOptions fit = fit_options(options);
    fit.checkpoint = checkpoint;
    fit.on_step = [&](const training::StepReport& step) {
      if (step.info.step == 7 * stop_after + 3) throw std::runtime_error("stopped");
    };
    training::fit(model, *data.train, fit, {&penalty});
    penalty.bake();
    return format::write(pack::pack(penalty.network(), {28, 28, 1}));
  };
  const Bytes whole = trained({}, -1);
  const auto file = std::filesystem::temp_directory_path() /
                    ("espalier_rate_test." + std::to_string(::getpid()) + ".checkpoint");
  for (const int stop : {1, 4, 7, 11}) {  // lambda rises, activations are rounded, steps are frozen
    CHECK_THROWS_WITH(trained(file, stop), "stopped");
    REQUIRE(std::filesystem::exists(file));
    CHECK(trained(file, -1) == whole);
    std::filesystem::remove(file);
  }
}

TEST_CASE("the pass refuses options and optimizers that it cannot work with") {
  CHECK_THROWS_AS(rate::RatePenalty({.lambda = -1}), Error);
  CHECK_THROWS_AS(rate::RatePenalty({.middle_step = 0}), Error);
  CHECK_THROWS_AS(rate::RatePenalty({.ramp_until = 0.9f, .freeze_at = 0.8f}), Error);
  const auto data = datasets::synthetic_digits({.train = 40, .test = 10});
  Sequential model = small_network();
  rate::RatePenalty penalty({.float_until = 0});
  const training::FitOptions sgd{.quiet = true, .optimizer = [](std::vector<Variable> parameters) {
                                   return std::make_unique<optim::Sgd>(std::move(parameters),
                                                                       optim::Sgd::Options{});
                                 }};
  CHECK_THROWS_WITH_AS(training::fit(model, *data.train, sgd, {&penalty}),
                       doctest::Contains("wants Adam"), Error);
}
