// What pack makes of float models, record by record.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>

#include "compress/pack/pack.hpp"
#include "compress/runtime/model.hpp"
#include "core/base/bytes.hpp"
#include "core/ops/ops.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
using format::LayerKind;
namespace {

// A layer that no file knows.
struct Halve : Layer {
  Variable forward(const Variable& x, const ForwardContext&) override {
    return ops::multiply(x, Variable(Tensor::full(x.shape(), 0.5f)));
  }
  Shape output_shape(const Shape& input) const override { return input; }
  std::string describe() const override { return "Halve"; }
};

void set_all(Sequential& model, float value) {
  model.visit({.parameter = [&](const std::string&, Parameter& p) {
    Tensor t = Tensor::full(p.latent().shape(), value);
    p.latent().mutable_value().copy_from(t);
  }});
}

}  // namespace

TEST_CASE(
    "the large network: relu joins the layer before it, dropout is left out, the rest is 1:1") {
  Sequential model = large_model(3);
  const auto packed = pack::pack(model, {28, 28, 1});
  std::vector<LayerKind> kinds;
  for (const auto& layer : packed.layers) kinds.push_back(layer.kind);
  using enum LayerKind;
  CHECK(kinds == std::vector{kConv2d, kMaxPool2d, kBatchNorm, kConv2d, kMaxPool2d, kFlatten, kDense,
                             kDense});
  CHECK(packed.layers[0].relu);
  CHECK(packed.layers[6].relu);
  CHECK(!packed.layers[7].relu);
  CHECK(packed.layers[0].pad_top == 2);
  CHECK(packed.layers[2].multiplier.size() == 32);
  CHECK(packed.layers[6].weight.shape == std::vector<std::int64_t>{1024, 3136});
  CHECK(packed.input.is_float());
}

TEST_CASE("the large network packs as it evaluates: batch norm's running values are inside") {
  Sequential model = large_model(3);
  Rng pixels(1, "pixels"), dropout(1, "dropout");
  Tensor x({4, 28, 28, 1});
  for (float& v : x.mutable_values()) v = pixels.uniform();
  const NoGradient guard;
  for (int i = 0; i < 3; ++i)  // moves mean and variance away from 0 and 1
    model(Variable(x), {.training = true, .rng = &dropout});
  const Tensor wanted = model(Variable(x)).value();
  const Tensor got = runtime::Model(pack::pack(model, {28, 28, 1})).run(x);
  for (std::size_t i = 0; i < got.values().size(); ++i)
    CHECK(got.values()[i] == doctest::Approx(wanted.values()[i]).epsilon(1e-4));
}

TEST_CASE("negative zeros become zeros, which the format stores as absent") {
  Sequential model = small_model(1);
  set_all(model, -0.0f);
  for (const auto& layer : pack::pack(model, {28, 28, 1}).layers)
    for (const float v : layer.weight.values) REQUIRE(!std::signbit(v));
}

TEST_CASE("a layer without a record is refused by its name") {
  Sequential model;
  model.add("halve1", Halve());
  CHECK_THROWS_WITH_AS(pack::pack(model, {28, 28, 1}), doctest::Contains("halve1"), Error);
  CHECK_THROWS_WITH_AS(pack::pack(model, Shape{28, 28}), doctest::Contains("[H W C]"), Error);
}

TEST_CASE("the tutorial's measure: DEFLATE, level 9, of every parameter's bytes") {
  Sequential model = small_model(1);
  CHECK(pack::raw_bytes(model) == 4 * 20410);
  const std::size_t dense = pack::deflate_bytes(model);
  CHECK(dense > 70000);  // random mantissas do not compress
  CHECK(dense < 4 * 20410);
  set_all(model, 0.25f);
  Bytes bytes(4 * 20410);
  for (std::size_t i = 0; i < bytes.size(); i += 4) bytes[i + 2] = 0x80, bytes[i + 3] = 0x3e;
  Bytes packed(compressBound(bytes.size()));
  uLongf size = packed.size();
  REQUIRE(compress2(packed.data(), &size, bytes.data(), bytes.size(), 9) == Z_OK);
  CHECK(pack::deflate_bytes(model) == size);
}
