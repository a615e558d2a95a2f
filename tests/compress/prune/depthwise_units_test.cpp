// Units of convolutions whose channels pass through depthwise ones: conv, depthwise, conv 1x1 shrink
// together.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
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
  const Padding same = Padding::same();
  Sequential model;
  model
      .add("first", DepthwiseConv2d({.channels = 1, .kernel = 3}, rng))  // of the image
      .add("conv", Conv2d({.in = 1, .out = 8, .kernel = 5, .stride = 3}, rng))
      .add("conv_norm", BatchNorm({.channels = 8, .momentum = 0.9f}))
      .add("conv_relu", Relu())
      .add("depthwise1", DepthwiseConv2d({.channels = 8, .kernel = 3, .padding = same}, rng))
      .add("depthwise1_norm", BatchNorm({.channels = 8, .momentum = 0.9f}))
      .add("depthwise1_relu", Relu())
      .add("pointwise1", Conv2d({.in = 8, .out = 12, .kernel = 1}, rng))
      .add("pointwise1_relu", Relu())
      .add("depthwise2", DepthwiseConv2d({.channels = 12, .kernel = 3, .stride = 2}, rng))
      .add("depthwise2_relu", Relu())
      .add("pool", AveragePool2d({.kernel = 3}))
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 12, .out = 10}, rng));
  return model;
}

Tensor logits(Sequential& model, const datasets::Dataset& data) {
  const NoGradient guard;
  return model(Variable(datasets::collate(data, std::vector<std::int64_t>{0, 1, 2, 3}).images))
      .value();
}

const Shape& weight_shape(Sequential& model, const std::string& name) {
  for (const auto& entry : model.layers())
    if (entry.name == name) return find_parameter(*entry.layer, "weight")->latent().shape();
  throw std::out_of_range(name);
}

Parameter& parameter(Sequential& model, const std::string& wanted) {
  Parameter* found = nullptr;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (name == wanted) found = &p;
  }});
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("conv, depthwise and conv 1x1 lose half their units together; the answers stay") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 10});
  for (const bool global : {false, true}) {
    Sequential model = network();
    prune::UnitPruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.5f}),
                              .frequency_steps = 4,
                              .global = global});
    training::fit(model, *data.train, {.epochs = 2, .batch_size = 32, .quiet = true}, {&pruner});
    std::set<std::string> states;
    pruner.visit_state(
        [&](const std::string& name, Tensor&) { CHECK(states.insert(name).second); });
    CHECK(states.contains("depthwise1.weight.mask"));
    CHECK(states.contains("depthwise1_norm.gamma.mask"));
    CHECK(!states.contains("first.weight.mask"));
    const Tensor attached = logits(model, *data.test);
    pruner.bake();
    const Tensor baked = logits(model, *data.test);
    CHECK(prune::remove_zero_units(model, kImage) == 10);  // of 20
    const Tensor shrunk = logits(model, *data.test);
    for (std::size_t i = 0; i < baked.values().size(); ++i) {
      CHECK(attached.values()[i] == baked.values()[i]);
      CHECK(std::abs(shrunk.values()[i] - baked.values()[i]) < 1e-4f);
    }
    CHECK(weight_shape(model, "first") == Shape{1, 3, 3, 1});
    const std::int64_t a = weight_shape(model, "conv")[0], b = weight_shape(model, "pointwise1")[0];
    CHECK(a + b == 10);
    if (!global) CHECK(a == 4);
    CHECK(weight_shape(model, "depthwise1") == Shape{a, 3, 3, 1});
    CHECK(weight_shape(model, "pointwise1") == Shape{b, 1, 1, a});
    CHECK(weight_shape(model, "depthwise2") == Shape{b, 3, 3, 1});
    CHECK(weight_shape(model, "dense") == Shape{10, b});
    CHECK(prune::remove_zero_units(model, kImage) == 0);
    training::fit(model, *data.train, {.epochs = 1, .quiet = true});
    CHECK(pack::pack(model, kImage).layers.size() == 10);
  }
}

TEST_CASE("a channel that a depthwise kernel of zeros cuts off goes, one whose bias speaks stays") {
  const auto data = datasets::synthetic_digits({.train = 10, .test = 10});
  Sequential model = network();
  const auto zero = [&](const std::string& name, std::int64_t unit) {
    Tensor& t = parameter(model, name).latent().mutable_value();
    const std::int64_t each = t.elements() / t.shape()[0];
    std::fill_n(t.mutable_data() + unit * each, each, 0.0f);
  };
  // The convolution's unit 2 works; its depthwise channel, and the norm behind that, are 0.
  for (const char* name : {"depthwise1.weight", "depthwise1_norm.gamma", "depthwise1_norm.beta"})
    zero(name, 2);
  // Unit 3 puts out 0, but the depthwise bias makes something of it.
  for (const char* name : {"pointwise1.weight", "pointwise1.bias"}) zero(name, 3), zero(name, 5);
  parameter(model, "depthwise2.bias").latent().mutable_value().mutable_data()[3] = 0.7f;
  const Tensor before = logits(model, *data.test);
  CHECK(prune::remove_zero_units(model, kImage) == 2);  // 2 of the first group, 5 of the second
  CHECK(weight_shape(model, "conv")[0] == 7);
  CHECK(weight_shape(model, "pointwise1") == Shape{11, 1, 1, 7});
  CHECK(parameter(model, "depthwise2.bias").latent().value().data()[3] == 0.7f);
  const Tensor after = logits(model, *data.test);
  for (std::size_t i = 0; i < before.values().size(); ++i)
    CHECK(std::abs(after.values()[i] - before.values()[i]) < 1e-4f);
}

TEST_CASE(
    "masks on depthwise weights: elements and blocks of channels exactly, n of m leaves them") {
  for (const int kind : {0, 1, 2}) {
    Sequential model = network();
    const prune::Structure structure =
        kind == 0   ? prune::Structure(prune::Elements{})
        : kind == 1 ? prune::Structure(prune::Blocks{.outputs = 4, .inputs = 4})
                    : prune::Structure(prune::NofM{.keep = 2, .of = 4});
    prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f),
                          .select = prune::named({"depthwise1", "depthwise2"}),
                          .structure = structure});
    pruner.attach(model);
    pruner.step({.step = 0, .total_steps = 1});
    pruner.bake();
    const Tensor& w = parameter(model, "depthwise1.weight").latent().value();
    CHECK(std::ranges::count(w.values(), 0.0f) == (kind == 2 ? 0 : 36));
    if (kind != 1) continue;
    for (std::int64_t tap = 0; tap < 9; ++tap)  // channels 0..3 stand and fall together, and 4..7
      for (std::int64_t c = 0; c < 8; ++c)
        CHECK((w.data()[c * 9 + tap] == 0) == (w.data()[c / 4 * 4 * 9 + tap] == 0));
  }
}
