// Train, prune, quantize, pack, write, read, run: what the trainer computes is what the runtime
// computes.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/model.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
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
using tests::images;
using tests::same_bits;
namespace {

// Fused and unfused relu, padding on signed levels, pools of both kinds; batch norm folded (norm1)
// and with levels of its own (norm2, norm3 with a relu): every case that integers have.
Sequential build() {
  Rng rng(2, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("norm1", BatchNorm({.channels = 4, .momentum = 0.8f}))
      .add("pool1", MaxPool2d())
      .add("relu1", Relu())
      .add("norm2", BatchNorm({.channels = 4, .momentum = 0.8f}))
      .add("conv2", Conv2d({.in = 4, .out = 6, .kernel = 3, .stride = 2, .padding = 1}, rng))
      .add("relu2", Relu())
      .add("conv3", Conv2d({.in = 6, .out = 6, .kernel = 3, .padding = 1}, rng))
      .add("conv4", Conv2d({.in = 6, .out = 6, .kernel = 3, .padding = 1}, rng))
      .add("pool2", AveragePool2d())
      .add("norm3", BatchNorm({.channels = 6, .momentum = 0.8f}))
      .add("relu3", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 54, .out = 10}, rng));
  return model;
}

}  // namespace

TEST_CASE("the packed model computes the trainer's integers, bit for bit, at every width") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 60});
  Sequential trained = build();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  training::fit(trained, *data.train, {.epochs = 2, .quiet = true}, {&pruner});
  pruner.bake();
  const Tensor x = images(*data.test);

  for (const bool post_training : {true, false})
    for (const int bits : {8, 4, 2}) {
      Sequential model = build();
      copy_parameters(trained, model);
      prune::KeepZeros keep;
      quantize::QuantizationAware quantize(
          {.weight_bits = bits,
           .observer = post_training ? quantize::ObserverKind::kMinMax
                                     : quantize::ObserverKind::kMovingAverage});
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
      CHECK(same_bits(model(Variable(x)).value(), attached));  // baked equals trained
      CHECK(prune::model_sparsity(model) >= 0.5);

      const Tensor wanted = quantize::evaluate(quantize.network(), x);
      const Bytes file = format::write(pack::pack(quantize.network(), {28, 28, 1}));
      const runtime::Model packed(format::read(file, "test.esp"));
      CHECK(same_bits(packed.run(x), wanted));
      // Fake quantization in float and the integers differ by rounding alone.
      const auto a = training::predictions(wanted), b = training::predictions(attached);
      int agree = 0;
      for (std::size_t i = 0; i < a.size(); ++i) agree += a[i] == b[i];
      CHECK(agree >= 48);
    }
}

TEST_CASE("bits a layer, one scale a tensor, every calibration: what is baked is what runs") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 40});
  Sequential trained = build();
  training::fit(trained, *data.train, {.epochs = 1, .quiet = true});
  const Tensor x = images(*data.test);
  using enum quantize::ObserverKind;
  for (const auto observer : {kMinMax, kPercentile, kSquaredError, kEntropy}) {
    Sequential model = build();
    copy_parameters(trained, model);
    quantize::QuantizationAware pass({.layer_bits = {{"conv2", 4}, {"dense", 6}},
                                      .per_channel = observer == kMinMax,
                                      .observer = observer});
    pass.attach(model);
    pass.calibrate(*data.train, 150);
    const NoGradient guard;
    const Tensor attached = model(Variable(x)).value();
    pass.bake();
    CHECK(same_bits(model(Variable(x)).value(), attached));
    const auto packed = pack::pack(pass.network(), {28, 28, 1});
    CHECK(same_bits(runtime::Model(packed).run(x), quantize::evaluate(pass.network(), x)));
    for (const auto& layer : packed.layers)
      if (!layer.weight.levels.empty()) {
        CHECK(layer.weight.bits == (layer.name == "conv2" ? 4 : layer.name == "dense" ? 6 : 8));
        CHECK((layer.weight.scales.size() == 1) == (observer != kMinMax));
      }
  }
}

TEST_CASE("a convolution may give the logits; relu, max pool and flatten may stand behind it") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 30});
  Rng rng(2, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = {7, 7}, .stride = {5, 5}}, rng))
      .add("conv2", Conv2d({.in = 4, .out = 10, .kernel = 4}, rng))
      .add("norm", BatchNorm({.channels = 10}))
      .add("relu", Relu())
      .add("pool", MaxPool2d())
      .add("flatten", Flatten());
  quantize::QuantizationAware aware({.weight_bits = 5});
  training::fit(model, *data.train, {.epochs = 2, .quiet = true}, {&aware});
  aware.bake();
  const Tensor x = images(*data.test);
  const runtime::Model packed(pack::pack(aware.network(), {28, 28, 1}));
  CHECK(same_bits(packed.run(x), quantize::evaluate(aware.network(), x)));
  runtime::Session session(packed, {.batch = 30});
  const auto logits = session.run(x);
  CHECK(std::memcmp(logits.data(), packed.run(x).data(), logits.size_bytes()) == 0);
}

TEST_CASE("a float model packs and runs with the same logits") {
  const auto data = datasets::synthetic_digits({.train = 10, .test = 10});
  Sequential model = build();
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const runtime::Model packed(format::read(format::write(pack::pack(model, {28, 28, 1})), "f.esp"));
  CHECK(same_bits(packed.run(x), model(Variable(x)).value()));
  CHECK_THROWS_AS(packed.run(Tensor({1, 27, 28, 1})), Error);
}

TEST_CASE("a missing or damaged file is an error that names it") {
  const auto path = std::filesystem::temp_directory_path() / "espalier_runtime_test.esp";
  std::filesystem::remove(path);
  CHECK_THROWS_AS(runtime::Model::load(path), Error);
  write_file(path, "not a model");
  CHECK_THROWS_AS(runtime::Model::load(path), Error);
  std::filesystem::remove(path);
}
