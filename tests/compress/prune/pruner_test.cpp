#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/mask.hpp"
#include "compress/prune/pruner.hpp"
#include "core/ops/ops.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
namespace {

Sequential linear_model() {
  Rng rng(1, "init");
  Sequential model;
  model.add("flatten", Flatten()).add("dense", Dense({.in = 784, .out = 10}, rng));
  return model;
}

Tensor logits(Sequential& model, const datasets::Dataset& data) {
  const NoGradient guard;
  return model(Variable(datasets::collate(data, std::vector<std::int64_t>{0, 1, 2, 3}).images))
      .value();
}

}  // namespace

TEST_CASE("training learns, pruning ends exactly on target, baking changes no bit, zeros stay") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 50});
  Sequential model = linear_model();
  const double before = training::accuracy(model, *data.train);
  const auto reports = training::fit(
      model, *data.train, {.epochs = 4, .batch_size = 32, .learning_rate = 3e-3f, .quiet = true});
  REQUIRE(reports.size() == 4);
  CHECK(reports[3].loss < 0.5 * reports[0].loss);
  CHECK(training::accuracy(model, *data.train) > before + 0.4);

  prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.initial = 0.5f, .final = 0.9f}),
                        .frequency_steps = 7});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&pruner});
  CHECK(prune::model_sparsity(model) == 7056.0 / 7840.0);
  const Tensor attached = logits(model, *data.test);
  pruner.bake();
  const Tensor baked = logits(model, *data.test);
  CHECK(std::memcmp(attached.data(), baked.data(), baked.bytes()) == 0);

  prune::KeepZeros keep;
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&keep});
  keep.bake();
  CHECK(prune::model_sparsity(model) == 7056.0 / 7840.0);
}

TEST_CASE("masks: at the step in which the schedule begins, and no other than need be at the end") {
  Sequential model;
  Rng rng(1, "init");
  model.add("flatten", Flatten()).add("dense", Dense({.in = 784, .out = 10}, rng));
  prune::Pruner pruner(
      {.schedule = prune::constant_sparsity(0.5f, /*begin=*/0.25f), .frequency_steps = 100});
  pruner.attach(model);
  std::vector<double> seen;
  for (std::int64_t step = 0; step < 12; ++step) {
    pruner.step({.step = step, .total_steps = 12});
    seen.push_back(prune::model_sparsity(model));
  }
  for (std::size_t step = 0; step < 12; ++step) CHECK(seen[step] == (step < 3 ? 0 : 0.5));

  // The last mask stays where the target is reached: a weight that moved up does not return.
  auto weight = [&]() -> Tensor& {
    Tensor* found = nullptr;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      if (name == "dense.weight") found = &p.latent().mutable_value();
    }});
    return *found;
  };
  prune::Pruner again({.schedule = prune::constant_sparsity(0.5f), .frequency_steps = 5});
  pruner.bake();
  again.attach(model);
  again.step({.step = 0, .total_steps = 12});
  std::size_t zero = 0;
  while (weight().values()[zero] != 0) ++zero;
  weight().mutable_values()[zero] = 100;
  again.step({.step = 11, .total_steps = 12});
  again.bake();
  CHECK(weight().values()[zero] == 0);
}

TEST_CASE("the same seed gives the same bits") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 10});
  Sequential a = linear_model(), b = linear_model();
  for (Sequential* model : {&a, &b})
    training::fit(*model, *data.train, {.epochs = 2, .quiet = true});
  const Tensor x = logits(a, *data.test), y = logits(b, *data.test);
  CHECK(std::memcmp(x.data(), y.data(), x.bytes()) == 0);
}

TEST_CASE("a diverged run stops in the step, naming batch and parameter") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 10});
  Sequential model = linear_model();
  model.visit({.parameter = [](const std::string& name, Parameter& p) {
    if (name == "dense.bias") p.latent().mutable_value().mutable_values()[3] = std::nanf("");
  }});
  try {
    training::fit(model, *data.train, {.quiet = true});
    FAIL("did not notice");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kDiverged);
    CHECK(std::string(error.what()).find("epoch 1, batch 1") != std::string::npos);
    CHECK(std::string(error.what()).find("dense.") != std::string::npos);
  }
}

TEST_CASE("a straight-through mask hands masked weights their gradient, a plain one does not") {
  for (const bool through : {false, true}) {
    Sequential model = linear_model();
    prune::Pruner pruner({.schedule = prune::constant_sparsity(0.9f),
                          .gradient = through ? prune::MaskGradient::kStraightThrough
                                              : prune::MaskGradient::kMasked});
    pruner.attach(model);
    pruner.step({.step = 0, .total_steps = 1});
    backward(ops::sum(model(Variable(Tensor::full({1, 28, 28, 1}, 1)))));
    double zeros = 0;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      if (name == "dense.weight") zeros = prune::sparsity_of(p.latent().gradient());
    }});
    CHECK(zeros == (through ? 0 : 7056.0 / 7840.0));
  }
}

TEST_CASE(
    "every structure and allocation ends where the schedule says, and bakes what it trained") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 10});
  const auto run = [&](prune::PrunerOptions options) {
    Rng rng(1, "init");
    Sequential model;
    model.add("flatten", Flatten())
        .add("dense1", Dense({.in = 784, .out = 16}, rng))
        .add("dense2", Dense({.in = 16, .out = 10}, rng));
    options.schedule = prune::polynomial_sparsity({.final = 0.75f});
    options.frequency_steps = 3;
    prune::Pruner pruner(options);
    training::fit(model, *data.train, {.epochs = 2, .batch_size = 20, .quiet = true}, {&pruner});
    const Tensor attached = logits(model, *data.test);
    pruner.bake();
    const Tensor baked = logits(model, *data.test);
    CHECK(std::memcmp(attached.data(), baked.data(), baked.bytes()) == 0);
    return prune::model_sparsity(model);
  };
  CHECK(run({.criterion = prune::Criterion::kRandom}) == 0.75);
  CHECK(run({.structure = prune::Blocks{.outputs = 2, .inputs = 4}}) ==
        doctest::Approx(0.75).epsilon(1e-3));  // dense2's 20 blocks
  CHECK(run({.structure = prune::Blocks{
                 .outputs = 1, .inputs = 4, .pool = prune::Blocks::Pool::kMax}}) == 0.75);
  CHECK(run({.structure = prune::NofM{.keep = 2, .of = 4}}) == 0.5);
  CHECK(run({.allocation = prune::Global{}}) == 0.75);
  CHECK(run({.allocation = prune::Erk{}}) == doctest::Approx(0.75).epsilon(1e-3));
  CHECK(run({.allocation = prune::PerLayer{{{"dense1", 0.5f}}}}) ==
        doctest::Approx((0.5 * 784 * 16 + 0.75 * 160) / (785 * 16 - 16 + 160)).epsilon(1e-6));
}

TEST_CASE("the end is checked: a mask that does not take what is asked for is no result") {
  const auto refuses = [](prune::PrunerOptions options, std::size_t at, const std::string& part) {
    Sequential model = linear_model();
    options.schedule = prune::constant_sparsity(0.5f);
    prune::Pruner pruner(options);
    pruner.attach(model);
    pruner.step({.step = 0, .total_steps = 1});
    pruner.visit_state([&](const std::string&, Tensor& mask) {
      float& one = mask.mutable_values()[at];
      one = 1 - one;
    });
    try {
      pruner.bake();
      FAIL("baked");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kInternal);
      CHECK_MESSAGE(std::string(error.what()).find(part) == 0, error.what());
    }
  };
  refuses({}, 5, "dense.weight: should end without 3920 groups, lacks 39");
  refuses({.allocation = prune::Global{}}, 7839, "dense.weight: should end without 3920 groups");
  refuses({.structure = prune::NofM{.keep = 2, .of = 4}}, 41,
          "dense.weight: should keep 2 of group 10, keeps ");
}

TEST_CASE("one shot: no training at all; a schedule's nonsense is refused by value") {
  Sequential model = linear_model();
  prune::prune_now(model, {.schedule = prune::constant_sparsity(0.9f)});
  CHECK(prune::model_sparsity(model) == 7056.0 / 7840.0);
  CHECK_THROWS_WITH_AS(prune::prune_now(model, {.schedule = [](float) { return 1.5f; }}),
                       "Pruner: the schedule wants a sparsity of 1.5, and 1.5 at its end; both "
                       "must lie in [0, 1)",
                       Error);
  CHECK_THROWS_AS(prune::prune_now(model, {}), Error);
}

TEST_CASE("random pruning is drawn once: what is gone stays gone, another seed is another mask") {
  const auto zeros = [](std::uint64_t seed, float sparsity) {
    Sequential model = linear_model();
    prune::prune_now(model, {.schedule = prune::constant_sparsity(sparsity),
                             .criterion = prune::Criterion::kRandom,
                             .seed = seed});
    std::vector<bool> gone;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      if (name == "dense.weight")
        for (const float v : p.latent().value().values()) gone.push_back(v == 0);
    }});
    return gone;
  };
  const auto few = zeros(1, 0.3f), more = zeros(1, 0.6f);
  for (std::size_t i = 0; i < few.size(); ++i) CHECK((!few[i] || more[i]));
  CHECK(zeros(2, 0.3f) != few);
}
