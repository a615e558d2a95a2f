// Few bits and levels by name: what is trained is what is baked, what the trainer's integers say,
// and what both executors compute.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/model.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"
#include "tests/compress/runtime/answers.hpp"

using namespace espalier;
using quantize::QuantizationAware;
using quantize::WeightLevels;
using tests::images;
using tests::same_bits;
namespace {

// Padding and an average pool on narrow levels; a batch norm that folds.
Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 5, .stride = 2}, rng))
      .add("relu1", Relu())
      .add("conv2", Conv2d({.in = 4, .out = 6, .kernel = 3, .padding = 1}, rng))
      .add("norm", BatchNorm({.channels = 6, .momentum = 0.8f}))
      .add("relu2", Relu())
      .add("pool", AveragePool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 216, .out = 16, .init = Init::kHeNormal}, rng))
      .add("relu3", Relu())
      .add("dense2", Dense({.in = 16, .out = 10}, rng));
  return model;
}

const datasets::TrainTest& digits() {
  static const auto data = datasets::synthetic_digits({.train = 300, .test = 200});
  return data;
}

void train(Sequential& model, const std::vector<training::Pass*>& passes) {
  training::fit(model, *digits().train, {.epochs = 5, .learning_rate = 2e-3f, .quiet = true},
                passes);
}

// A copy of a network that was trained in float, once.
Sequential trained_network() {
  static Sequential trained = [] {
    Sequential model = network();
    train(model, {});
    return model;
  }();
  Sequential copy = network();
  copy_parameters(trained, copy);
  return copy;
}

// A network that was trained in float, then with this pass; checks the chain, gives the file.
format::PackedModel trained_file(const QuantizationAware::Options& options) {
  Sequential model = trained_network();
  QuantizationAware aware(options);
  train(model, {&aware});
  const NoGradient guard;
  const Tensor x = images(*digits().test), attached = model(Variable(x)).value();
  aware.bake();
  CHECK(same_bits(model(Variable(x)).value().values(), attached.values()));  // baked is trained
  const Tensor wanted = quantize::evaluate(aware.network(), x);
  const auto agreed = training::count_correct(wanted, training::predictions(attached));
  CHECK(agreed >= 190);  // fake quantization and integers differ by rounding alone
  const Bytes file = format::write(pack::pack(aware.network(), {28, 28, 1}));
  const runtime::Model read(format::read(file, "low.esp"));
  CHECK(same_bits(read.run(x).values(), wanted.values()));  // the reference executor
  runtime::Session session(read, {.batch = 200});
  CHECK(same_bits(session.run(x), wanted.values()));  // oneDNN
  std::vector<int> labels;
  for (std::int64_t i = 0; i < 200; ++i) labels.push_back(digits().test->get(i).label);
  CHECK(training::count_correct(wanted, labels) >= 50);  // chance would be 20
  return format::read(file, "low.esp");
}

std::set<int> levels_of(const format::PackedModel& model, const std::string& layer) {
  for (const auto& l : model.layers)
    if (l.name == layer) return {l.weight.levels.begin(), l.weight.levels.end()};
  return {};
}

}  // namespace

TEST_CASE("activations of 2 to 7 bits: behind a relu, on the upper levels") {
  for (const int bits : {2, 3, 4, 5, 6, 7}) {
    const auto packed = trained_file({.activation_bits = bits});
    for (const auto& layer : packed.layers)
      if (layer.relu) CHECK(layer.output.zero_point == 128 - (1 << bits));
  }
  const auto mixed = trained_file({.activation_bits = 5, .layer_activation_bits = {{"conv1", 3}}});
  CHECK(mixed.layers[0].output.zero_point == 120);
  CHECK(mixed.layers[1].output.zero_point == 96);
}

TEST_CASE("narrow activations want a relu directly behind the layer") {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 2, .kernel = 5}, rng))
      .add("pool", MaxPool2d())
      .add("relu", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 288, .out = 10}, rng));
  QuantizationAware narrow({.activation_bits = 4});
  CHECK_THROWS_WITH_AS(narrow.attach(model), doctest::Contains("no relu stands directly behind"),
                       Error);
  CHECK_THROWS_AS(QuantizationAware({.activation_bits = 1}), Error);
  CHECK_THROWS_AS(QuantizationAware({.activation_bits = 8}), Error);
  QuantizationAware unknown({.layer_activation_bits = {{"conv9", 4}}});
  CHECK_THROWS_WITH_AS(unknown.attach(model), doctest::Contains("is no layer"), Error);
}

TEST_CASE("learned steps: they move, and what they end at is the file's") {
  for (const bool per_channel : {true, false})
    for (const int bits : {2, 4, 8}) {
      const QuantizationAware::Options options{.weight_bits = bits,
                                               .per_channel = per_channel,
                                               .learned_step = true,
                                               .step_learning_rate = 1e-2f};
      const auto packed = trained_file(options);
      Sequential model = trained_network();
      QuantizationAware still(options);
      still.attach(model);
      std::vector<float> first;
      still.visit_state([&](const std::string& name, Tensor& t) {
        if (name == "dense1.steps") first.assign(t.values().begin(), t.values().end());
      });
      CHECK(first.size() == (per_channel ? 16 : 1));
      CHECK(first != packed.layers[4].weight.scales);
    }
}

TEST_CASE("learned activation steps: they move until they are frozen, and are the file's") {
  for (const int bits : {2, 4, 7}) {
    const QuantizationAware::Options options{.learned_activation_step = true,
                                             .activation_bits = bits};
    const auto packed = trained_file(options);
    QuantizationAware::Options observed = options;
    observed.learned_activation_step = false;
    const auto other = trained_file(observed);
    int learned = 0;
    for (std::size_t i = 0; i < packed.layers.size(); ++i) {
      if (!packed.layers[i].relu) continue;
      CHECK(packed.layers[i].output.zero_point == 128 - (1 << bits));
      CHECK(packed.layers[i].output.scale != other.layers[i].output.scale);
      ++learned;
    }
    CHECK(learned == 3);
  }
  // Step by step: the first batch gives the first value, gradients move it, freeze_at ends that.
  Sequential model = trained_network();
  QuantizationAware aware({.learned_step = true,
                           .learned_activation_step = true,
                           .freeze_at = 0.5f,
                           .round_from = 0.2f});
  std::vector<float> seen;
  training::fit(model, *digits().train,
                {.epochs = 2,
                 .quiet = true,
                 .on_step =
                     [&](const training::StepReport&) {
                       aware.visit_state([&](const std::string& name, Tensor& t) {
                         if (name == "conv2.range") {
                           REQUIRE(t.elements() == 1);
                           seen.push_back(t.item());
                         }
                       });
                     }},
                {&aware});
  REQUIRE(seen.size() == 20);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    // Observed for 4 steps (progress below 0.2), learned up to progress 0.5, then as it is.
    const bool moves = i < 10;
    CHECK_MESSAGE((seen[i] != seen[i - 1]) == moves, i);
    CHECK(seen[i] > 0);
  }
}

TEST_CASE("what has no relu behind it is observed, and calibration cannot learn") {
  Sequential model = trained_network();
  QuantizationAware aware({.learned_activation_step = true});
  aware.attach(model);
  std::map<std::string, std::int64_t> sizes;
  aware.visit_state([&](const std::string& name, Tensor& t) { sizes[name] = t.elements(); });
  CHECK(sizes.at("conv1.range") == 1);
  CHECK_THROWS_WITH_AS(aware.calibrate(*digits().train, 10),
                       doctest::Contains("learned steps of activations want training"), Error);
  CHECK_THROWS_AS(
      QuantizationAware({.learned_activation_step = true, .activation_step_learning_rate = 0}),
      Error);
  Rng rng(1, "init");
  Sequential signed_one;
  signed_one.add("conv", Conv2d({.in = 1, .out = 2, .kernel = 5}, rng))
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 1152, .out = 8}, rng))
      .add("relu", Relu())
      .add("dense2", Dense({.in = 8, .out = 10}, rng));
  QuantizationAware mixed({.learned_activation_step = true});
  mixed.attach(signed_one);
  sizes.clear();
  mixed.visit_state([&](const std::string& name, Tensor& t) { sizes[name] = t.elements(); });
  CHECK(sizes.at("conv.range") == 3);  // extremes and their weight
  CHECK(sizes.at("dense1.range") == 1);
}

TEST_CASE("ternary and binary weights hold the levels of their name; named layers keep bits") {
  for (const bool per_channel : {true, false}) {
    const auto ternary = trained_file({.layer_bits = {{"conv1", 8}},
                                       .weights = WeightLevels::kTernary,
                                       .per_channel = per_channel});
    CHECK(levels_of(ternary, "dense1") == std::set<int>{-1, 0, 1});
    CHECK(levels_of(ternary, "conv2") == std::set<int>{-1, 0, 1});
    CHECK(levels_of(ternary, "conv1").size() > 3);
    const auto binary = trained_file({.layer_bits = {{"conv1", 8}, {"dense2", 8}},
                                      .weights = WeightLevels::kBinary,
                                      .per_channel = per_channel});
    CHECK(levels_of(binary, "dense1") == std::set<int>{-1, 1});
    CHECK(levels_of(binary, "dense2").size() > 3);
  }
}

TEST_CASE("pruned: ternary weights keep zeros, binary ones are refused") {
  Sequential model = trained_network();
  prune::prune_now(model, {.schedule = prune::constant_sparsity(0.6f)});
  QuantizationAware binary({.weights = WeightLevels::kBinary});
  CHECK_THROWS_WITH_AS(binary.attach(model), doctest::Contains("use ternary"), Error);
  Sequential again = trained_network();
  prune::prune_now(again, {.schedule = prune::constant_sparsity(0.6f)});
  prune::KeepZeros zeros;
  QuantizationAware ternary({.weights = WeightLevels::kTernary});
  train(again, {&zeros, &ternary});
  ternary.bake();
  zeros.bake();
  CHECK(prune::model_sparsity(again) >= 0.6);
}

TEST_CASE("bias correction: the mean shift of every layer's output is gone") {
  Sequential trained = trained_network();
  const Tensor x = images(*digits().test);
  std::vector<double> shifts;
  for (const bool correct : {false, true}) {
    Sequential model = network();
    copy_parameters(trained, model);
    QuantizationAware pass({.weight_bits = 3,
                            .observer = quantize::ObserverKind::kMinMax,
                            .bias_correction = correct});
    pass.attach(model);
    pass.calibrate(*digits().train, 300);
    const NoGradient guard;
    const Tensor attached = model(Variable(x)).value();
    pass.bake();
    CHECK(same_bits(model(Variable(x)).value().values(), attached.values()));
    const runtime::Model file(pack::pack(pass.network(), {28, 28, 1}));
    CHECK(same_bits(file.run(x).values(), quantize::evaluate(pass.network(), x).values()));
    // Of the logits, on the images that were calibrated with.
    std::vector<double> means(10);
    datasets::for_each_batch(*digits().train, 300, 100, [&](const datasets::Batch& batch) {
      const Tensor floats = trained(Variable(batch.images)).value(),
                   integers = quantize::evaluate(pass.network(), batch.images);
      for (std::size_t i = 0; i < floats.values().size(); ++i)
        means[i % 10] += (double{integers.values()[i]} - double{floats.values()[i]}) / 300;
    });
    double largest = 0;
    for (const double m : means) largest = std::max(largest, std::abs(m));
    shifts.push_back(largest);
  }
  CHECK(shifts[0] > 0.1);
  CHECK(shifts[1] < 0.1 * shifts[0]);
}
