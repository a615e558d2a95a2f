#include "compress/cluster/weight_clustering.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/model.hpp"
#include "core/ops/ops.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
using cluster::WeightClustering;
namespace {

Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 5, .stride = 3}, rng))
      .add("relu", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 256, .out = 10}, rng));
  return model;
}

Tensor images(const datasets::Dataset& data) {
  std::vector<std::int64_t> some(20);
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = static_cast<std::int64_t>(i);
  return datasets::collate(data, some).images;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

std::set<float> values_of(Sequential& model, const std::string& wanted, std::size_t row = 0,
                          std::size_t rows = 1) {
  std::set<float> found;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (name != wanted) return;
    const auto all = p.latent().value().values();
    const std::size_t each = all.size() / rows;
    for (const float v : all.subspan(row * each, each)) found.insert(v);
  }});
  return found;
}

}  // namespace

TEST_CASE("after training each tensor holds its clusters, and baking changes no bit") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 20});
  const Tensor x = images(*data.test);
  for (const auto init : {cluster::Init::kLinear, cluster::Init::kRandom, cluster::Init::kDensity,
                          cluster::Init::kKMeansPlusPlus}) {
    Sequential model = network();
    training::fit(model, *data.train, {.epochs = 1, .quiet = true});
    WeightClustering clustering({.clusters = 8, .init = init});
    const auto reports =
        training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&clustering});
    CHECK(reports[1].loss < reports[0].loss);
    const NoGradient guard;
    const Tensor attached = model(Variable(x)).value();
    clustering.bake();
    CHECK(same_bits(model(Variable(x)).value(), attached));
    CHECK(values_of(model, "conv.weight").size() <= 8);
    CHECK(values_of(model, "dense.weight").size() <= 8);
    CHECK(values_of(model, "dense.weight").size() > 3);
  }
}

TEST_CASE("a price on bits: the file is smaller, and baking changes no bit") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 20});
  const Tensor x = images(*data.test);
  std::size_t before = 1 << 20;
  for (const float price : {0.0f, 0.05f}) {
    Sequential model = network();
    training::fit(model, *data.train, {.epochs = 2, .quiet = true});
    WeightClustering clustering({.clusters = 16, .bit_price = price});
    training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&clustering});
    const NoGradient guard;
    const Tensor attached = model(Variable(x)).value();
    clustering.bake();
    CHECK(same_bits(model(Variable(x)).value(), attached));
    CHECK(values_of(model, "dense.weight").size() <= 16);
    const std::size_t bytes = format::write(pack::pack(model, {28, 28, 1})).size();
    CHECK(bytes < before * 9 / 10);
    before = bytes;
  }
  CHECK_THROWS_AS(WeightClustering({.bit_price = -1}), Error);
}

TEST_CASE("per channel: each has clusters of its own") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 10});
  Sequential model = network();
  WeightClustering clustering({.clusters = 3, .per_channel = true});
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&clustering});
  clustering.bake();
  for (std::size_t channel = 0; channel < 4; ++channel)
    CHECK(values_of(model, "conv.weight", channel, 4).size() <= 3);
  CHECK(values_of(model, "conv.weight").size() > 6);
}

TEST_CASE("more clusters than a channel has weights: what is baked is what was trained") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 20});
  const Tensor x = images(*data.test);
  for (const bool aware : {false, true}) {
    Sequential model = network();
    WeightClustering clustering({.clusters = 100, .per_channel = true});  // of 25 weights each
    quantize::QuantizationAware quantizing({.per_channel = false});
    std::vector<training::Pass*> passes{&clustering};
    if (aware) passes.push_back(&quantizing);
    training::fit(model, *data.train, {.epochs = 3, .learning_rate = 0.01f, .quiet = true}, passes);
    const NoGradient guard;
    const Tensor attached = model(Variable(x)).value();
    if (aware) quantizing.bake();
    CHECK(same_bits(model(Variable(x)).value(), attached));
    clustering.bake();
    CHECK(same_bits(model(Variable(x)).value(), attached));
  }
}

TEST_CASE("pruned, clustered, quantized: zeros stay, clusters stay, and the file has a palette") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 20});
  Sequential model = network();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&pruner});
  pruner.bake();
  WeightClustering clustering({.clusters = 16, .preserve_sparsity = true});
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&clustering});
  clustering.bake();
  CHECK(prune::model_sparsity(model) >= 0.5);
  CHECK(values_of(model, "dense.weight").size() <= 16);
  CHECK(values_of(model, "dense.weight").contains(0));

  const auto floats = pack::pack(model, {28, 28, 1});
  CHECK(format::version_for(floats) == 2);
  const auto file = format::write(floats);
  CHECK(file.size() < 2200);  // 2,660 weights, half of them zero, in 10,640 bytes of float32
  const Tensor x = images(*data.test);
  const runtime::Model read(format::read(file, "clustered.esp"));
  const NoGradient guard;
  CHECK(training::predictions(read.run(x)) == training::predictions(model(Variable(x)).value()));

  quantize::QuantizationAware quantizing(
      {.per_channel = false, .observer = quantize::ObserverKind::kMinMax});
  quantizing.attach(model);
  quantizing.calibrate(*data.train, 100);
  quantizing.bake();
  const auto packed = pack::pack(quantizing.network(), {28, 28, 1});
  for (const auto& layer : packed.layers) {
    const std::set<int> levels(layer.weight.levels.begin(), layer.weight.levels.end());
    CHECK(levels.size() <= 16);
  }
  CHECK(format::write(packed).size() < file.size());
}

TEST_CASE("PCQAT: pruned, then clustered while quantization trains: all three are kept") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 20});
  Sequential model = network();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&pruner});
  pruner.bake();
  WeightClustering clustering({.clusters = 8, .preserve_sparsity = true});
  quantize::QuantizationAware aware({.per_channel = false});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&clustering, &aware});
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const Tensor attached = model(Variable(x)).value();
  aware.bake();
  clustering.bake();
  CHECK(same_bits(model(Variable(x)).value(), attached));
  CHECK(prune::model_sparsity(model) >= 0.5);
  const auto packed = pack::pack(aware.network(), {28, 28, 1});
  for (const auto& layer : packed.layers) {
    const std::set<int> levels(layer.weight.levels.begin(), layer.weight.levels.end());
    CHECK(levels.size() <= 8);
  }
  CHECK(same_bits(runtime::Model(packed).run(x), quantize::evaluate(aware.network(), x)));
}

TEST_CASE("a centroid's gradient is the sum of its weights', or their mean") {
  for (const auto rule : {cluster::GradientRule::kSum, cluster::GradientRule::kAverage}) {
    Rng rng(1, "init");
    Sequential model;
    model.add("dense", Dense({.in = 4, .out = 1}, rng));
    model.visit({.parameter = [](const std::string& name, Parameter& p) {
      if (name == "dense.weight")
        p.latent().mutable_value().copy_from(Tensor::from({1, 4}, {-1, -1, -1, 5}));
    }});
    WeightClustering clustering({.clusters = 2, .gradient = rule, .learning_rate = 0.5f});
    clustering.attach(model);
    clustering.step({.step = 0, .total_steps = 2});
    // dy of the weights: 1, 2, 3, 10.
    backward(ops::sum(model(Variable(Tensor::from({1, 4}, {1, 2, 3, 10})))));
    std::vector<float> seen;
    clustering.visit_state([&](const std::string& name, Tensor& t) {
      if (name == "dense.weight.centroids") seen.assign(t.values().begin(), t.values().end());
    });
    CHECK(seen == std::vector<float>{-1, 5});
    Tensor dw;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      if (name == "dense.weight") dw = p.latent().gradient().clone();
    }});
    CHECK(dw.values()[1] == 2);  // straight through, whatever the rule
    optim::Sgd none({Variable(Tensor({1}), true)}, {});
    clustering.after_step({.step = 0, .total_steps = 2}, none);
    double first_mean = 0;
    clustering.visit_state([&](const std::string& name, Tensor& t) {
      if (name == "centroids.mean.0") first_mean = double{t.values()[0]};
    });
    CHECK(first_mean == doctest::Approx(0.1 * (rule == cluster::GradientRule::kSum ? 6 : 2)));
  }
}

TEST_CASE("clustering refuses what it cannot do") {
  CHECK_THROWS_AS(WeightClustering({.clusters = 1}), Error);
  CHECK_THROWS_AS(WeightClustering({.clusters = 255}), Error);
  CHECK_THROWS_AS(WeightClustering({.learning_rate = 0}), Error);
  Sequential model = network();
  WeightClustering nothing({.select = [](const std::string&, const Parameter&) { return false; }});
  CHECK_THROWS_AS(nothing.attach(model), Error);
}
