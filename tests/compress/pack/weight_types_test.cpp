#include "compress/pack/weight_types.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "compress/format/half.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/stages.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
namespace {

format::PackedModel floats() {
  Sequential model = large_model(3);  // batch norm among its layers
  return pack::pack(model, {28, 28, 1});
}

// One dense layer.
format::PackedModel rows(std::vector<float> values, std::int64_t outputs) {
  format::PackedModel model;
  format::PackedLayer layer;
  layer.name = "dense";
  model.input_shape = {1, 1, std::ssize(values) / outputs};
  layer.weight.shape = {outputs, model.input_shape[2]};
  layer.weight.values = std::move(values);
  layer.bias.assign(static_cast<std::size_t>(outputs), 0.1f);
  model.layers = {layer};
  return model;
}

}  // namespace

TEST_CASE(
    "float16: nearest halves, biases too; batch norm and named layers stay, with a row each") {
  const auto wide = floats();
  auto model = wide;
  const auto report = pack::to_float16(model, {.keep = {"dense1"}});
  REQUIRE(report.size() == 2);
  CHECK(report[0].reason == "batch norm has two numbers a channel");
  CHECK(report[1].layer == "dense1");
  CHECK(report[1].reason == "named");
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto &got = model.layers[i], &from = wide.layers[i];
    if (got.weight.shape.empty() || got.name == "dense1") {
      CHECK(got == from);
      continue;
    }
    CHECK(got.weight.bits == 16);
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < got.weight.values.size(); ++k) {
      const float value = got.weight.values[k], was = from.weight.values[k];
      wrong += !is_half(value);
      wrong += std::abs(value - was) > std::max(std::abs(was) * 0x1p-11f, 0x1p-25f);
    }
    CHECK(wrong == 0);
  }
  CHECK(format::write(model).size() < format::write(wide).size());
  const auto once = model;
  pack::to_float16(model);  // what is of 16 bits stays: only dense1 changes
  CHECK(model.layers[0] == once.layers[0]);
}

TEST_CASE("float16: what lies beyond its range stays float32, and never fails the model") {
  auto model = rows({1, 65519, 2, -3}, 2);
  CHECK(pack::to_float16(model).empty());
  CHECK(model.layers[0].weight.values[1] == kMaxHalf);
  model = rows({1, 65520, 2, -3}, 2);
  const auto report = pack::to_float16(model);
  REQUIRE(report.size() == 1);
  CHECK(report[0].layer == "dense");
  CHECK(report[0].reason.find("65,504") != std::string::npos);
  CHECK(model == rows({1, 65520, 2, -3}, 2));
  model = rows({1e-9f, -1e-9f}, 1);  // below the smallest: 0, and never -0
  pack::to_float16(model);
  for (const float v : model.layers[0].weight.values) CHECK((v == 0 && !std::signbit(v)));
}

TEST_CASE("dynamic range: every weight within half a step, zeros stay zero, biases stay float32") {
  for (const bool per_channel : {true, false})
    for (const int bits : {8, 3}) {
      const auto wide = floats();
      auto model = wide;
      CHECK(pack::to_dynamic_range(model, {.bits = bits, .per_channel = per_channel}).size() == 1);
      for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const auto &w = model.layers[i].weight, &from = wide.layers[i].weight;
        if (w.shape.empty()) continue;
        CHECK(w.bits == bits);
        if (i == 0) CHECK((w.scales.size() == 1) == !per_channel);
        CHECK(model.layers[i].bias == wide.layers[i].bias);
        const auto values = format::float_weights(w);
        const std::size_t stride = values.size() / w.scales.size();
        std::size_t wrong = 0;
        for (std::size_t k = 0; k < values.size(); ++k) {
          wrong += std::abs(values[k] - from.values[k]) > 0.50001f * w.scales[k / stride];
          wrong += from.values[k] == 0 && w.levels[k] != 0;
        }
        CHECK(wrong == 0);
      }
      CHECK(format::read(format::write(model), "d.esp") == model);
    }
}

TEST_CASE("dynamic range: a scale costs a byte, and one of a channel of zeros nothing") {
  auto model = rows({0.3f, -1.27f, 0, 0, 0.01f, 0.02f}, 3);
  pack::to_dynamic_range(model);
  const auto& scales = model.layers[0].weight.scales;
  REQUIRE(scales.size() == 3);
  CHECK(scales[0] >= 0.01f);
  CHECK(scales[0] <= 0.01f * 1.0625f);
  CHECK(scales[1] == scales[0]);
  for (const float s : scales) {
    int exponent = 0;
    const float mantissa = std::frexp(s, &exponent) * 32;
    CHECK(mantissa == std::floor(mantissa));
  }
  model = rows({0, 0, 0, 0}, 2);
  CHECK(pack::to_dynamic_range(model).empty());
  CHECK(model.layers[0].weight.scales == std::vector<float>{1});
  model = rows({3e38f, 1}, 1);  // its levels times their scale stay finite
  pack::to_dynamic_range(model);
  CHECK(format::read(format::write(model), "large.esp") == model);
}

TEST_CASE("names of no layer with weights are refused, and so are widths that no level has") {
  auto model = floats();
  CHECK_THROWS_WITH_AS(pack::to_float16(model, {.keep = {"dense9"}}), doctest::Contains("dense9"),
                       Error);
  CHECK_THROWS_AS(pack::to_dynamic_range(model, {.keep = {"flatten"}}), Error);
  CHECK_THROWS_AS(pack::to_dynamic_range(model, {.bits = 9}), Error);
  CHECK(model == floats());
}

TEST_CASE(
    "a float layer that takes levels keeps its floats: of levels its sums would be integers") {
  auto model = rows({1, 2}, 1);
  model.input = {0.5f, 0};
  const auto report = pack::to_dynamic_range(model);
  REQUIRE(report.size() == 1);
  CHECK(report[0].reason.starts_with("it takes levels"));
  CHECK(model.layers[0].weight.bits == 32);
  CHECK(pack::to_float16(model).empty());
  CHECK(model.layers[0].weight.bits == 16);
}
