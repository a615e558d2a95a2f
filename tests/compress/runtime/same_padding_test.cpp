// Same padding with a stride depends on the image: what pack resolves for the file must be what the
// layers compute with, in float and in integers.
#include <doctest/doctest.h>

#include <cstring>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/model.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/model_json.hpp"
#include "tests/compress/runtime/answers.hpp"

using namespace espalier;
using tests::images;
namespace {

// 28 -> 14 (0 above, 1 below) -> 5 (0, 1) -> 5 -> 2 (0, 0), by other windows across.
ModelJson build() {
  return parse_model_json(R"({"input": [28, 28, 1], "layers": [
      {"type": "Conv2d", "filters": 4, "kernel_size": [3, 5], "strides": 2, "padding": "same",
       "activation": "relu"},
      {"type": "MaxPool2d", "pool_size": [2, 3], "strides": 3, "padding": "same"},
      {"type": "Conv2d", "filters": 6, "kernel_size": 2, "padding": "same", "activation": "relu"},
      {"type": "Conv2d", "filters": 5, "kernel_size": [1, 4], "strides": [3, 2],
       "padding": [0, 1, 0, 3], "activation": "relu"},
      {"type": "Flatten"}, {"type": "Dense", "units": 10}]})",
                          "same.json");
}

}  // namespace

TEST_CASE("same padding with strides packs as the layers compute it") {
  const auto data = datasets::synthetic_digits({.train = 100, .test = 20});
  ModelJson m = build();
  const Tensor x = images(*data.test);
  const NoGradient guard;
  const runtime::Model packed(format::read(format::write(pack::pack(m.model, m.input)), "f.esp"));
  const Tensor got = packed.run(x), want = m.model(Variable(x)).value();
  REQUIRE(got.shape() == want.shape());
  for (std::size_t i = 0; i < got.values().size(); ++i)
    CHECK(got.values()[i] == doctest::Approx(want.values()[i]).epsilon(1e-4).scale(1));

  quantize::QuantizationAware quantize({.observer = quantize::ObserverKind::kMinMax});
  quantize.attach(m.model);
  quantize.calibrate(*data.train, 100);
  quantize.bake();
  const Tensor integers = quantize::evaluate(quantize.network(), x);
  const runtime::Model small(
      format::read(format::write(pack::pack(quantize.network(), m.input)), "q.esp"));
  const Tensor run = small.run(x);
  REQUIRE(run.shape() == integers.shape());
  CHECK(std::memcmp(run.data(), integers.data(), run.bytes()) == 0);
}
