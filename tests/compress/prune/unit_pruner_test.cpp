#include "compress/prune/unit_pruner.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "compress/pack/pack.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/find_parameter.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
namespace {

const Shape kImage{28, 28, 1};

Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 8, .kernel = 3, .stride = 2}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("norm1", BatchNorm({.channels = 8}))
      .add("conv2", Conv2d({.in = 8, .out = 6, .kernel = 3, .padding = Padding::same()}, rng))
      .add("norm2", BatchNorm({.channels = 6}))
      .add("relu2", Relu())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 216, .out = 12, .init = Init::kHeNormal}, rng))
      .add("relu3", Relu())
      .add("dropout", Dropout(0.1f))
      .add("dense2", Dense({.in = 12, .out = 10}, rng));
  return model;
}

Tensor logits(Sequential& model, const datasets::Dataset& data) {
  const NoGradient guard;
  return model(Variable(datasets::collate(data, std::vector<std::int64_t>{0, 1, 2, 3}).images))
      .value();
}

std::string widths(const Sequential& model) {
  std::string text;
  for (const auto& [name, layer] : model.layers()) {
    const auto* conv = dynamic_cast<const Conv2d*>(layer.get());
    const auto* dense = dynamic_cast<const Dense*>(layer.get());
    if (conv) text += std::to_string(conv->options().out) + ' ';
    if (dense) text += std::to_string(dense->options().out) + ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("half the units go, the tensors shrink through everything, the answers stay") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 10});
  for (const bool global : {false, true}) {
    Sequential model = network();
    const std::int64_t macs = model.macs(kImage);
    prune::UnitPruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.5f}),
                              .frequency_steps = 4,
                              .global = global});
    training::fit(model, *data.train, {.epochs = 3, .batch_size = 32, .quiet = true}, {&pruner});
    const Tensor attached = logits(model, *data.test);
    pruner.bake();
    const Tensor baked = logits(model, *data.test);
    CHECK(prune::remove_zero_units(model, kImage) == 13);  // of 26
    const Tensor shrunk = logits(model, *data.test);
    for (std::size_t i = 0; i < baked.values().size(); ++i) {
      CHECK(attached.values()[i] == baked.values()[i]);
      CHECK(std::abs(shrunk.values()[i] - baked.values()[i]) < 1e-4f);
    }
    if (!global) CHECK(widths(model) == "4 3 6 10 ");
    CHECK(static_cast<double>(model.macs(kImage)) < (global ? 1 : 0.6) * static_cast<double>(macs));
    CHECK(prune::remove_zero_units(model, kImage) == 0);
    // It is an ordinary model: it trains on and packs.
    training::fit(model, *data.train, {.epochs = 1, .quiet = true});
    CHECK(pack::pack(model, kImage).layers.size() == 8);
  }
}

TEST_CASE("units go where the schedule begins, and a run that stops early is warned of") {
  Sequential model = network();
  std::vector<std::string> warnings;
  prune::UnitPruner pruner({.schedule = prune::constant_sparsity(0.5f, 0.5f),
                            .frequency_steps = 100,
                            .warn = [&](const std::string& w) { warnings.push_back(w); }});
  pruner.attach(model);
  const auto zeros = [&] {
    const Tensor w = find_parameter(*model.layers()[0].layer, "weight")->effective().value();
    return std::ranges::count(w.values(), 0.0f);
  };
  for (int step = 0; step < 60; ++step) {
    pruner.step({.step = step, .total_steps = 60});
    CHECK((zeros() > 0) == (step >= 30));
  }
  CHECK(warnings.empty());
  pruner.bake();
  CHECK(warnings.empty());

  Sequential other = network();
  prune::UnitPruner stopped({.schedule = prune::polynomial_sparsity({.final = 0.5f}),
                             .frequency_steps = 5,
                             .warn = [&](const std::string& w) { warnings.push_back(w); }});
  stopped.attach(other);
  for (int step = 0; step < 20; ++step) stopped.step({.step = step, .total_steps = 60});
  stopped.bake();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("prune units: the run was stopped where the schedule wants") == 0);
}

TEST_CASE("the end is checked: a mask that does not take what the schedule asks for is no result") {
  // A run of one step, and then a mask that someone changed, as a broken checkpoint would.
  const auto bakes = [](bool global, const std::string& changed, std::size_t from, float value,
                        bool ends = true) {
    Sequential model = network();
    prune::UnitPruner pruner(
        {.schedule = prune::constant_sparsity(0.5f), .global = global, .warn = warn_nobody});
    pruner.attach(model);
    pruner.step({.step = 0, .total_steps = ends ? 1 : 2});
    bool found = false;
    pruner.visit_state([&](const std::string& name, Tensor& mask) {
      if (name != changed) return;
      found = true;
      std::ranges::fill(mask.mutable_values().subspan(from), value);
    });
    CHECK(found == !changed.empty());
    pruner.bake();
  };
  const auto refuses = [&](const std::string& message, auto... arguments) {
    try {
      bakes(arguments...);
      FAIL("baked " << message);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kInternal);
      CHECK(error.what() == message);
    }
  };
  CHECK_NOTHROW(bakes(false, "", 0, 1));
  CHECK_NOTHROW(bakes(true, "", 0, 1));
  const std::string whole = ": should lose whole units, with their biases and batch norm";
  refuses("conv1.weight" + whole, false, "conv1.weight.mask", 0, 1.0f);  // the bias is still gone
  refuses("conv1.weight" + whole, false, "norm1.gamma.mask", 0, 1.0f);
  refuses("dense1.weight" + whole, true, "dense1.bias.mask", 0, 1.0f);
  CHECK_NOTHROW(bakes(false, "conv1.weight.mask", 0, 1, /*ends=*/false));  // it did not end
}

TEST_CASE("the end is checked: each layer's units, and of a global share the sum") {
  for (const bool global : {false, true}) {
    Sequential model = network();
    prune::UnitPruner pruner({.schedule = prune::constant_sparsity(0.5f), .global = global});
    pruner.attach(model);
    pruner.step({.step = 0, .total_steps = 1});
    pruner.visit_state([](const std::string& name, Tensor& mask) {
      if (name.starts_with("dense1.")) mask.fill(1);  // a whole layer came back
    });
    CHECK_THROWS_WITH_AS(
        pruner.bake(),
        doctest::Contains(global ? "UnitPruner: should end without 13 units, lacks "
                                 : "dense1.weight: should end without 6 units, "
                                   "lacks 0"),
        Error);
  }
}

TEST_CASE("a layer keeps a unit, and the answers are no units") {
  Sequential model = network();
  prune::UnitPruner pruner({.schedule = prune::constant_sparsity(0.99f)});
  pruner.attach(model);
  pruner.step({.step = 0, .total_steps = 1});
  pruner.bake();
  prune::remove_zero_units(model, kImage);
  CHECK(widths(model) == "1 1 1 10 ");
}

TEST_CASE("unit pruning refuses what it cannot do") {
  Rng rng(1, "init");
  Dense lone({.in = 3, .out = 2}, rng);
  prune::UnitPruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  CHECK_THROWS_AS(pruner.attach(lone), Error);
  Sequential last;
  last.add("dense", Dense({.in = 3, .out = 2}, rng));
  CHECK_THROWS_WITH_AS(pruner.attach(last),
                       doctest::Contains("UnitPruner: there are no units to prune: "), Error);
  CHECK_THROWS_AS(prune::UnitPruner({}), Error);
  Sequential model = network();
  prune::UnitPruner attached({.schedule = prune::constant_sparsity(0.5f)});
  attached.attach(model);
  model.visit({.parameter = [](const std::string& name, Parameter& p) {
    if (name == "conv1.weight" || name == "conv1.bias" || name.starts_with("norm1"))
      p.latent().mutable_value().fill(0);
  }});
  CHECK_THROWS_AS(prune::remove_zero_units(model, kImage), Error);
}
