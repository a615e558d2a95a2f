// Depthwise-separable networks from training to the runtime: batch norm is folded, weights become
// levels a channel, and the trainer's integers are those of both executors.
#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/rate/rate_penalty.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/warn.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"
#include "tests/compress/runtime/answers.hpp"

using namespace espalier;
using tests::images;
using tests::same_bits;
namespace {

// Relu'd levels and signed ones (depthwise2 reads no relu) with padding; norms folded into
// depthwise layers and pointwise ones.
Sequential build(bool norms = true) {
  Rng rng(2, "init");
  const Padding same = Padding::same();
  Sequential model;
  const auto norm = [&](const char* name, std::int64_t channels) {
    if (norms) model.add(name, BatchNorm({.channels = channels, .momentum = 0.8f}));
  };
  model.add("conv", Conv2d({.in = 1, .out = 6, .kernel = 4, .stride = 3}, rng));
  norm("norm0", 6);
  model.add("relu0", Relu())
      .add("depthwise1", DepthwiseConv2d({.channels = 6, .kernel = 3, .padding = same}, rng));
  norm("norm1", 6);
  model.add("relu1", Relu()).add("pointwise1", Conv2d({.in = 6, .out = 18, .kernel = 1}, rng));
  norm("norm2", 18);
  model
      .add("depthwise2",
           DepthwiseConv2d({.channels = 18, .kernel = {3, 2}, .stride = 2, .padding = same}, rng))
      .add("relu3", Relu())
      .add("pointwise2", Conv2d({.in = 18, .out = 12, .kernel = 1}, rng))
      .add("relu4", Relu())
      .add("pool", AveragePool2d({.kernel = 5}))
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 12, .out = 10}, rng));
  return model;
}

// Through the file, by both executors.
void check_runs(const format::PackedModel& packed, const Tensor& x, const Tensor& wanted) {
  const runtime::Model read(format::read(format::write(packed), "depthwise.esp"));
  CHECK(read.packed() == packed);
  CHECK(same_bits(read.run(x).values(), wanted.values()));
  runtime::Session session(read, {.batch = x.shape()[0]});
  CHECK(same_bits(session.run(x), wanted.values()));
}

}  // namespace

TEST_CASE("batch norm folds into a depthwise convolution") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 20});
  Sequential model = build();
  training::fit(model, *data.train, {.epochs = 1, .quiet = true});
  const NoGradient guard;
  const Variable x(images(*data.test));
  const Tensor before = model(x).value();
  quantize::fold_batch_norm(model);
  for (const auto& entry : model.layers()) CHECK(!entry.name.starts_with("norm"));
  const Tensor after = model(x).value();
  for (std::size_t i = 0; i < before.values().size(); ++i)
    CHECK(after.values()[i] == doctest::Approx(before.values()[i]).epsilon(1e-3));
}

TEST_CASE(
    "a pruned, quantized separable network: trained, baked, packed and run alike, bit for bit") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 60});
  Sequential trained = build();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.4f)});
  training::fit(trained, *data.train, {.epochs = 4, .quiet = true}, {&pruner});
  pruner.bake();
  const double sparsity = prune::model_sparsity(trained);
  CHECK(sparsity > 0.39);
  const Tensor x = images(*data.test);
  for (const bool post_training : {true, false})
    for (const int bits : {8, 4}) {
      CAPTURE(bits);
      CAPTURE(post_training);
      Sequential model = build();
      copy_parameters(trained, model);
      prune::KeepZeros keep;
      quantize::QuantizationAware quantize(
          {.weight_bits = bits,
           .layer_bits = {{"depthwise2", 6}},
           .per_channel = bits == 8,
           .observer = post_training ? quantize::ObserverKind::kMinMax
                                     : quantize::ObserverKind::kMovingAverage,
           .bias_correction = post_training});
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
      CHECK(prune::model_sparsity(model) >= sparsity);
      const Tensor wanted = quantize::evaluate(quantize.network(), x);
      auto packed = pack::pack(quantize.network(), {28, 28, 1});
      for (const auto& layer : packed.layers) {
        if (layer.kind != format::LayerKind::kDepthwiseConv2d) continue;
        CHECK(layer.weight.bits == (layer.name == "depthwise2" ? 6 : bits));
        CHECK((layer.weight.scales.size() == 1) == (bits != 8));
      }
      CHECK(packed.layers[1].relu);
      check_runs(packed, x, wanted);
      const auto a = training::predictions(wanted), b = training::predictions(attached);
      int agree = 0;
      for (std::size_t i = 0; i < a.size(); ++i) agree += a[i] == b[i];
      CHECK(agree >= 50);
      pack::remove_dead_units(packed);
      pack::sort_units(packed);
      check_runs(packed, x, wanted);
    }
}

TEST_CASE("bias correction takes the mean shift back in depthwise layers too") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 60});
  Sequential trained = build();
  training::fit(trained, *data.train, {.epochs = 2, .quiet = true});
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const Tensor wanted = trained(Variable(x)).value();
  double error[2];
  for (const bool corrected : {false, true}) {
    Sequential model = build();
    copy_parameters(trained, model);
    quantize::QuantizationAware pass({.layer_bits = {{"depthwise1", 3}, {"depthwise2", 3}},
                                      .observer = quantize::ObserverKind::kMinMax,
                                      .bias_correction = corrected});
    pass.attach(model);
    pass.calibrate(*data.train, 200);
    pass.bake();
    const Tensor got = quantize::evaluate(pass.network(), x);
    error[corrected] = 0;
    for (std::size_t i = 0; i < got.values().size(); ++i)
      error[corrected] += std::abs(double{got.values()[i]} - wanted.values()[i]);
  }
  CHECK(error[1] < 0.9 * error[0]);
}

TEST_CASE("depthwise layers that stay in float among integers, or alone: the executors agree") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 60});
  Sequential trained = build();
  training::fit(trained, *data.train, {.epochs = 1, .quiet = true});
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const std::vector<std::vector<std::string>> kFloats = {
      {"depthwise1"}, {"depthwise1", "pointwise1", "depthwise2"}, {"conv", "dense"}};
  for (const auto& names : kFloats) {
    CAPTURE(names.front());
    Sequential model = build();
    copy_parameters(trained, model);
    quantize::QuantizationAware pass(
        {.float_layers = names, .observer = quantize::ObserverKind::kMinMax, .warn = warn_nobody});
    pass.attach(model);
    pass.calibrate(*data.train, 150);
    pass.bake();
    const Tensor wanted = quantize::evaluate(pass.network(), x);
    check_runs(pack::pack(pass.network(), {28, 28, 1}), x, wanted);
  }
  auto floats = pack::pack(trained, {28, 28, 1});
  const auto bytes = format::write(floats).size();
  const runtime::Model packed(format::read(format::write(floats), "f.esp"));
  const Tensor wanted = trained(Variable(x)).value();
  float largest = 0;
  for (const float v : wanted.values()) largest = std::max(largest, std::abs(v));
  const Tensor got = packed.run(x);
  for (std::size_t i = 0; i < got.values().size(); ++i)
    CHECK(std::abs(got.values()[i] - wanted.values()[i]) <= 1e-5f * largest);
  CHECK(pack::to_dynamic_range(floats).size() == 3);  // the batch norms
  CHECK(static_cast<double>(format::write(floats).size()) < 0.6 * static_cast<double>(bytes));
}

TEST_CASE("the rate pass: depthwise kernels are paid for by the bit, and run as trained") {
  const auto data = datasets::synthetic_digits({.train = 300, .test = 60});
  Sequential model = build(false);
  const rate::RatePenalty::Options options{.lambda = 3e-5f, .learning_rate = 0.02f};
  rate::RatePenalty penalty(options);
  training::fit(model, *data.train,
                {.epochs = 8,
                 .batch_size = 32,
                 .learning_rate = options.learning_rate,
                 .schedule = options.schedule,
                 .quiet = true},
                {&penalty});
  const auto codes = penalty.code_length();
  CHECK(std::ranges::count_if(codes, [](const auto& c) {
          return c.name.starts_with("depthwise") && c.nonzeros < c.weights;
        }) >= 2);
  const NoGradient guard;
  const Tensor x = images(*data.test), attached = model(Variable(x)).value();
  penalty.bake();
  CHECK(same_bits(model(Variable(x)).value().values(), attached.values()));
  const Tensor wanted = quantize::evaluate(penalty.network(), x);
  auto packed = pack::pack(penalty.network(), {28, 28, 1});
  check_runs(packed, x, wanted);
  pack::remove_dead_units(packed);
  check_runs(packed, x, wanted);
}
