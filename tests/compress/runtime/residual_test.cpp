// A small residual network: trained with rounded weights and activations it computes the integers of
// its file, bit for bit; and what integers compute is what was trained.
#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/warn.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/model_json.hpp"
#include "optim/training/fit.hpp"
#include "tests/compress/runtime/answers.hpp"

using namespace espalier;
using tests::agreeing;
using tests::images;
using tests::same_bits;
namespace {

Sequential build() {
  return parse_model_json(R"({"input": [28, 28, 1], "layers": [
      {"type": "Conv2d", "name": "stem", "filters": 6, "kernel_size": 5, "strides": 3},
      {"type": "BatchNorm", "momentum": 0.8}, {"type": "Relu", "name": "first"},
      {"type": "Conv2d", "name": "a1", "filters": 6, "kernel_size": 3, "padding": "same"},
      {"type": "BatchNorm", "momentum": 0.8}, {"type": "Relu"},
      {"type": "Conv2d", "name": "a2", "filters": 6, "kernel_size": 3, "padding": "same"},
      {"type": "BatchNorm", "momentum": 0.8},
      {"type": "Residual", "name": "a", "with": "first", "activation": "relu"},
      {"type": "Conv2d", "name": "b1", "filters": 8, "kernel_size": 3, "strides": 2, "padding": "same"},
      {"type": "BatchNorm", "name": "b1_norm", "momentum": 0.8},
      {"type": "Conv2d", "name": "projection", "from": "a", "filters": 8, "kernel_size": 1, "strides": 2},
      {"type": "Residual", "name": "b", "with": "b1_norm", "activation": "relu"},
      {"type": "GlobalAveragePool2d"}, {"type": "Dense", "name": "dense", "units": 10}]})",
                          "residual.json", {.seed = 3})
      .model;
}

}  // namespace

TEST_CASE("a residual network: float, pruned and quantized, runs as it was trained") {
  const auto data = datasets::synthetic_digits({.train = 400, .test = 200});
  const Tensor x = images(*data.test);
  Sequential model = build();
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  training::fit(model, *data.train, {.epochs = 6, .batch_size = 16, .quiet = true}, {&pruner});
  pruner.bake();
  {
    const NoGradient guard;
    const Tensor wanted = model(Variable(x)).value();
    const runtime::Model floats(
        format::read(format::write(pack::pack(model, {28, 28, 1})), "float.esp"));
    CHECK(agreeing(floats.run(x), wanted) == 200);
    runtime::Session session(floats, {.batch = 200});
    CHECK(agreeing(Tensor::from<float>(
                       {200, 10}, std::vector<float>(session.run(x).begin(), session.run(x).end())),
                   wanted) == 200);
  }
  const auto folded = [](quantize::QuantizationAware& aware) {
    aware.bake();
    const auto packed = pack::pack(aware.network(), {28, 28, 1});
    CHECK(packed.layers.size() == 10);  // stem a1 a2 a b1 projection b pool flatten dense
    CHECK(packed.layers[3].kind == format::LayerKind::kResidual);
    CHECK(packed.layers[3].with == 3);
    CHECK(packed.layers[3].relu);
    CHECK(packed.layers[5].from == 2);
    return packed;
  };
  for (const auto& names : std::vector<std::vector<std::string>>{
           {}, {"a"}, {"b"}, {"projection"}, {"a2", "dense"}, {"stem"}}) {
    const bool learned = names.size() == 2;  // steps of activations, sums and pools among them
    CAPTURE(names.empty() ? "none" : names.front());
    Sequential tuned = build();
    prune::KeepZeros keep;
    quantize::QuantizationAware aware({.weight_bits = 6,
                                       .float_layers = names,
                                       .learned_activation_step = learned,
                                       .warn = warn_nobody});
    copy_parameters(model, tuned);
    training::fit(tuned, *data.train, {.epochs = names.empty() ? 2 : 1, .quiet = true},
                  {&keep, &aware});
    const NoGradient guard;
    const Tensor attached = tuned(Variable(x)).value();
    const auto packed = folded(aware);
    keep.bake();
    CHECK(same_bits(tuned(Variable(x)).value().values(), attached.values()));
    const Tensor wanted = quantize::evaluate(aware.network(), x);
    CHECK(agreeing(wanted, attached) >= 192);  // of 200: float sums and integer ones
    const runtime::Model file(format::read(format::write(packed), "residual.esp"));
    CHECK(same_bits(file.run(x).values(), wanted.values()));
    for (const auto kernels : {runtime::Kernels::kFixed, runtime::Kernels::kTimed}) {
      runtime::Session session(file, {.batch = 200, .kernels = kernels});
      CHECK(same_bits(session.run(x), wanted.values()));
    }
    if (!names.empty()) continue;
    auto smaller = packed;
    pack::remove_dead_units(smaller);
    pack::sort_units(smaller);
    CHECK(same_bits(runtime::Model(smaller).run(x).values(), wanted.values()));
    CHECK(runtime::peak_activation_bytes(packed) >= 3 * 8 * 8 * 6);  // first, a1's input and output
  }
}

TEST_CASE("units whose layer feeds a sum are not pruned; those within a branch are") {
  Sequential model = build();
  prune::UnitPruner units({.schedule = prune::constant_sparsity(0.5f)});
  const auto data = datasets::synthetic_digits({.train = 60, .test = 20});
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&units});
  units.bake();
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const Tensor before = model(Variable(x)).value();
  CHECK(prune::remove_zero_units(model, {28, 28, 1}) == 3);  // of a1 alone
  CHECK(agreeing(model(Variable(x)).value(), before) == 20);
}

TEST_CASE("a sum in float of one summand on levels and one in floats runs as it was trained") {
  // "sum" stays in float; what it takes from conv2 is floats, first's levels are for conv2.
  const auto data = datasets::synthetic_digits({.train = 150, .test = 60});
  Sequential model = parse_model_json(R"({"input": [28, 28, 1], "layers": [
      {"type": "Conv2d", "name": "first", "filters": 4, "kernel_size": 5, "strides": 3,
       "activation": "relu"},
      {"type": "Conv2d", "name": "second", "filters": 4, "kernel_size": 3, "padding": "same"},
      {"type": "Residual", "name": "sum", "from": "first", "with": "second"},
      {"type": "Flatten"}, {"type": "Dense", "name": "dense", "units": 10}]})",
                                      "sum.json")
                         .model;
  quantize::QuantizationAware aware({.float_layers = {"sum"}, .warn = warn_nobody});
  training::fit(model, *data.train, {.epochs = 1, .quiet = true}, {&aware});
  aware.bake();
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const Tensor wanted = quantize::evaluate(aware.network(), x);
  const auto packed = pack::pack(aware.network(), {28, 28, 1});
  CHECK(packed.layers[2].from == 1);
  CHECK(packed.layers[2].with == 2);
  const runtime::Model file(format::read(format::write(packed), "sum.esp"));
  CHECK(same_bits(file.run(x).values(), wanted.values()));
}

TEST_CASE("a float sum or norm between levels that others want is refused before training") {
  const auto refused = [](const std::string& middle, const std::string& name) {
    Sequential model = parse_model_json(R"({"input": [28, 28, 1], "layers": [
        {"type": "Conv2d", "name": "first", "filters": 4, "kernel_size": 5, "strides": 3,
         "activation": "relu"},
        {"type": "Conv2d", "name": "second", "filters": 4, "kernel_size": 3, "padding": "same",
         "activation": "relu"}, )" + middle +
                                            R"(,
        {"type": "Conv2d", "name": "third", "filters": 4, "kernel_size": 3, "padding": "same"},
        {"type": "Conv2d", "name": "fourth", "from": "second", "filters": 4, "kernel_size": 3,
         "padding": "same"},
        {"type": "Residual", "name": "end", "with": "third"},
        {"type": "Flatten"}, {"type": "Dense", "units": 10}]})",
                                        "m.json")
                           .model;
    quantize::QuantizationAware aware({.float_layers = {name}, .warn = warn_nobody});
    CHECK_THROWS_WITH_AS(aware.attach(model), doctest::Contains("name that layer"), Error);
  };
  refused(R"({"type": "Residual", "name": "sum", "with": "first"})", "sum");
  refused(R"({"type": "BatchNorm", "name": "norm"})", "norm");
}
