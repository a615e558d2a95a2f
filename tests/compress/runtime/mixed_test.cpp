// Layers that stay in float among integer ones: what the trainer evaluates is what both executors
// run, bit for bit, through the file. And float models with narrower weights.
#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/warn.hpp"
#include "core/ops/ops.hpp"
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
using tests::agreeing;
using tests::images;
using tests::same_bits;
namespace {

// Every kind of layer; batch norm of its own in two places.
Sequential build() {
  Rng rng(2, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 3, .stride = 2, .padding = 1}, rng))
      .add("relu1", Relu())
      .add("norm1", BatchNorm({.channels = 4, .momentum = 0.8f}))
      .add("conv2", Conv2d({.in = 4, .out = 6, .kernel = 3, .padding = 1}, rng))
      .add("pool1", AveragePool2d())
      .add("norm2", BatchNorm({.channels = 6, .momentum = 0.8f}))
      .add("relu2", Relu())
      .add("conv3", Conv2d({.in = 6, .out = 6, .kernel = 3, .padding = 1}, rng))
      .add("pool2", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 54, .out = 10}, rng));
  return model;
}

// A layer of which neither quantization nor the format knows.
class Halve final : public Layer {
 public:
  std::string describe() const override { return "Halve"; }
  Shape output_shape(const Shape& input) const override { return input; }

 private:
  Variable forward(const Variable& x, const ForwardContext&) override {
    return ops::multiply(x, Variable(Tensor::full(x.shape(), 0.5f)));
  }
};

// How far the largest logit of each image is above the next.
std::vector<float> margins(const Tensor& logits) {
  std::vector<float> all;
  for (std::int64_t n = 0; n < logits.shape()[0]; ++n) {
    const auto row = logits.values().subspan(static_cast<std::size_t>(n * 10), 10);
    std::vector<float> sorted(row.begin(), row.end());
    std::ranges::sort(sorted, std::greater());
    all.push_back(sorted[0] - sorted[1]);
  }
  return all;
}

const std::vector<std::vector<std::string>> kFloatLayers = {
    {"conv1"}, {"dense"}, {"conv2"}, {"norm1"}, {"norm2", "conv3"}, {"conv1", "conv3"}};

}  // namespace

TEST_CASE("whichever layers stay in float, the file computes what the trainer does, bit for bit") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 200});
  Sequential trained = build();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  training::fit(trained, *data.train, {.epochs = 2, .quiet = true}, {&pruner});
  pruner.bake();
  const Tensor x = images(*data.test);

  for (const bool post_training : {true, false})
    for (const auto& names : kFloatLayers) {
      if (!post_training && names.front() != "conv1") continue;  // training takes its time
      CAPTURE(names.front());
      CAPTURE(post_training);
      Sequential model = build();
      copy_parameters(trained, model);
      prune::KeepZeros keep;
      quantize::QuantizationAware quantize(
          {.weight_bits = 6, .float_layers = names, .warn = warn_nobody});
      if (post_training) {
        quantize.attach(model);
        quantize.calibrate(*data.train, 150);
      } else {
        training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&keep, &quantize});
      }
      const NoGradient guard;
      const Tensor attached = model(Variable(x)).value();
      quantize.bake();
      if (!post_training) keep.bake();
      CHECK(same_bits(model(Variable(x)).value().values(), attached.values()));
      CHECK(prune::model_sparsity(model) >= 0.5);

      const Tensor wanted = quantize::evaluate(quantize.network(), x);
      const auto packed = pack::pack(quantize.network(), {28, 28, 1});
      for (const auto& layer : packed.layers)
        if (!layer.weight.shape.empty())
          CHECK((layer.weight.bits == 32) == (std::ranges::count(names, layer.name) > 0));
      const runtime::Model read(format::read(format::write(packed), "mixed.esp"));
      CHECK(same_bits(read.run(x).values(), wanted.values()));
      runtime::Session session(read, {.batch = 200});
      CHECK(same_bits(session.run(x), wanted.values()));
      CHECK(agreeing(wanted, attached) >= 192);  // of 200: float sums and integer ones
    }
}

TEST_CASE("an average pool behind the last layer stays in float, and the model goes on") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 30});
  Rng rng(2, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = {7, 7}, .stride = {5, 5}}, rng))
      .add("conv2", Conv2d({.in = 4, .out = 10, .kernel = 3}, rng))
      .add("relu", Relu())
      .add("norm", BatchNorm({.channels = 10}))
      .add("pool", AveragePool2d({.kernel = 3}))
      .add("flatten", Flatten());
  std::vector<std::string> warnings;
  quantize::QuantizationAware aware(
      {.weight_bits = 5, .warn = [&](const std::string& w) { warnings.push_back(w); }});
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&aware});
  REQUIRE(aware.float_report().size() == 2);
  CHECK(aware.float_report()[0].name == "norm");
  CHECK(aware.float_report()[1].name == "pool");
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0] == "layer norm, " + model.layers()[3].layer->describe() +
                           ", stays in float: no integer layer follows this batch norm");
  aware.bake();
  const Tensor x = images(*data.test);
  const Tensor wanted = quantize::evaluate(aware.network(), x);
  const runtime::Model packed(
      format::read(format::write(pack::pack(aware.network(), {28, 28, 1})), "pool.esp"));
  CHECK(same_bits(packed.run(x).values(), wanted.values()));
  runtime::Session session(packed, {.batch = 30});
  CHECK(same_bits(session.run(x), wanted.values()));
}

TEST_CASE(
    "a layer of unknown kind trains and evaluates in float; only the file has no record of it") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 30});
  Rng rng(2, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 7, .stride = 3}, rng))
      .add("halve", Halve())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 256, .out = 10}, rng));
  quantize::QuantizationAware aware({.warn = warn_nobody});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&aware});
  aware.bake();
  REQUIRE(aware.float_report().size() == 1);
  CHECK(aware.float_report()[0].layer == "Halve");
  const NoGradient guard;
  const Tensor x = images(*data.test);
  CHECK(agreeing(quantize::evaluate(aware.network(), x), model(Variable(x)).value()) >= 28);
  CHECK_THROWS_WITH_AS(pack::pack(aware.network(), {28, 28, 1}), doctest::Contains("halve"), Error);
}

TEST_CASE("float16 and dynamic range, whole and beside integers: answers stay, files shrink") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 200});
  Sequential model = build();
  training::fit(model, *data.train, {.epochs = 15, .quiet = true});
  const NoGradient guard;
  const Tensor x = images(*data.test), wanted = model(Variable(x)).value();
  const auto floats = pack::pack(model, {28, 28, 1});
  const auto bytes = format::write(floats).size();

  auto half = floats;
  CHECK(pack::to_float16(half).size() == 2);  // the batch norms
  CHECK(format::write(half).size() < 0.6 * static_cast<double>(bytes));
  CHECK(agreeing(runtime::Model(half).run(x), wanted) == 200);

  auto levels = floats;
  CHECK(pack::to_dynamic_range(levels).size() == 2);
  CHECK(format::write(levels).size() < 0.4 * static_cast<double>(bytes));
  CHECK(agreeing(runtime::Model(format::read(format::write(levels), "d.esp")).run(x), wanted) >=
        193);

  quantize::QuantizationAware pass({.float_layers = {"conv1", "dense"},
                                    .observer = quantize::ObserverKind::kMinMax,
                                    .warn = warn_nobody});
  pass.attach(model);
  pass.calibrate(*data.train, 200);
  pass.bake();
  auto mixed = pack::pack(pass.network(), {28, 28, 1});
  pack::to_float16(mixed, {.keep = {"conv1"}});
  pack::to_dynamic_range(mixed);  // conv1; the dense layer is of 16 bits already
  const runtime::Model run(format::read(format::write(mixed), "mixed.esp"));
  CHECK(run.packed().layers.front().weight.bits == 8);
  CHECK(run.packed().layers.back().weight.bits == 16);
  // Rounding to 7 bits decides where the network is unsure, and only there.
  const auto sure = margins(wanted);
  const auto answers = training::predictions(run.run(x)), before = training::predictions(wanted);
  float worst = 0;
  for (std::size_t i = 0; i < sure.size(); ++i)
    if (answers[i] != before[i]) worst = std::max(worst, sure[i]);
  CHECK(worst < 0.25f);
  CHECK(std::ranges::count_if(sure, [](float margin) { return margin >= 0.25f; }) >= 100);
  CHECK(agreeing(run.run(x), wanted) >= 183);
  runtime::Session session(run, {.batch = 200});
  CHECK(same_bits(session.run(x), run.run(x).values()));
}
