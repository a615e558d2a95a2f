// --trace: its numbers are the reference executor's.
#include <doctest/doctest.h>

#include <sstream>

#include "apps/espalier/trace.hpp"
#include "compress/runtime/model.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "core/base/rng.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::apps;
using runtime::reference::Activation;
namespace {

Tensor random_image(const format::PackedModel& model) {
  Rng rng(3, "image");
  Tensor image({model.input_shape[0], model.input_shape[1], model.input_shape[2]});
  for (float& v : image.mutable_values()) v = rng.uniform();
  return image;
}

// Every unit of every layer with weights: the level, or the logit, is the executor's; its steps add
// up by plain integers.
void check_all_units(const format::PackedModel& model, const Tensor& image) {
  const Shape& s = image.shape();
  const auto check = [&](std::size_t i, const Activation& x, const Activation& y) {
    const auto& layer = model.layers[i];
    for (std::int64_t unit = 0; !layer.weight.shape.empty() && unit < layer.weight.shape[0];
         ++unit) {
      const Trace t = trace_unit(model, image, {.layer = std::to_string(i + 1), .unit = unit});
      REQUIRE(t.unit == unit);
      std::int32_t sum = 0;
      for (const auto& p : t.products) sum += (p.level - x.grid.zero_point) * p.weight;
      CHECK(t.sum == sum);
      CHECK(t.accumulator == t.sum + t.bias);
      const std::int64_t width = y.values.shape().rank() == 4 ? y.values.shape()[2] : 1;
      const std::int64_t at = (t.y * width + t.x) * layer.weight.shape[0] + unit;
      if (t.real_output) {
        CHECK(t.real == y.values.data()[at]);
      } else {
        CHECK(t.level == y.values.data<std::uint8_t>()[at]);
        CHECK(t.real == y.grid.scale * static_cast<float>(t.level - y.grid.zero_point));
        // Nowhere is this channel more active.
        for (std::int64_t k = unit; k < y.values.elements(); k += layer.weight.shape[0])
          CHECK(y.values.data<std::uint8_t>()[k] <= t.level);
      }
    }
  };
  runtime::reference::run_layers(model, image.reshaped({1, s[0], s[1], s[2]}), check);
}

}  // namespace

TEST_CASE("trace: every unit's level or logit is the reference executor's") {
  const auto digits = tests::integer_nearest_mean();
  check_all_units(digits, datasets::synthetic_digits({.train = 1, .test = 3}).test->get(2).image);
  // Zero points, strides, padding, several channels, signed outputs, no bias.
  auto network = format::samples::network(8, 0.9);
  network.layers[0].bias_levels = {-3, 900, 0, 70, -1000};
  network.layers[0].output = {0.02f, 20};
  network.layers[3].output.zero_point = 30;
  check_all_units(network, random_image(network));
  network.layers[0].relu = false;
  check_all_units(network, random_image(network));
  // A depthwise layer on top of signed levels: each unit sees its own channel alone.
  format::PackedLayer depthwise;
  depthwise.kind = format::LayerKind::kDepthwiseConv2d;
  depthwise.kernel_h = 2, depthwise.pad_top = 1;
  depthwise.weight = {{5, 2, 1, 1}, 5, {}, {9, -4, 0, 7, 3, 3, -15, 2, 1, 0}, {0.1f}};
  depthwise.bias_levels = {1, 2, 3, -400, 0};
  depthwise.output = {0.03f, 40};
  network.layers.insert(network.layers.begin() + 1, depthwise);
  check_all_units(network, random_image(network));
}

TEST_CASE("trace: the most active unit is chosen; what does not exist is refused") {
  const auto model = tests::integer_nearest_mean();
  const Tensor image = datasets::synthetic_digits({.train = 1, .test = 4}).test->get(3).image;
  const Trace first = trace_unit(model, image, {});
  CHECK(first.layer == "copy");
  CHECK(first.products.size() <= 9);
  CHECK(first.taps == 9);
  const Trace last = trace_unit(model, image, {.layer = "means"});
  CHECK(last.real_output);
  CHECK(last.last);
  const Shape& s = image.shape();
  const Tensor logits = runtime::Model(model).run(image.reshaped({1, s[0], s[1], s[2]}));
  CHECK(last.real == *std::ranges::max_element(logits.values()));

  const auto refusal = [&](const format::PackedModel& m, const TraceOptions& options) {
    try {
      trace_unit(m, image, options);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(model, {.layer = "mean"}).find("did you mean 'means'") != std::string::npos);
  CHECK(!refusal(model, {.layer = "flatten"}).empty());
  CHECK(!refusal(model, {.layer = "copy", .unit = 2}).empty());
  CHECK(!refusal(model, {.layer = "copy", .unit = -1}).empty());
  CHECK(refusal(tests::nearest_mean(), {}).find("float") != std::string::npos);
}

TEST_CASE("trace: beside float layers the integer ones are followed") {
  const auto model = format::samples::crossings();  // float convolution, integer dense, float dense
  const Tensor image = random_image(model);
  const Trace t = trace_unit(model, image, {});
  CHECK(t.layer == "layer 7");
  CHECK(t.real_output);
  CHECK(!t.last);
  std::ostringstream out;
  print_trace(out, t);
  CHECK(out.str().find("What follows takes real numbers") != std::string::npos);
  const auto refused = [&](const format::PackedModel& m, const char* layer) {
    CHECK_THROWS_WITH_AS(trace_unit(m, image, {.layer = layer}),
                         doctest::Contains("computes in floats"), Error);
  };
  refused(model, "conv1");
  refused(model, "8");
  refused(format::samples::dynamic_range(8), "");
}

TEST_CASE("trace: the words carry the numbers") {
  const auto model = tests::integer_nearest_mean();
  const Tensor image = datasets::synthetic_digits({.train = 1, .test = 1}).test->get(0).image;
  const Trace t = trace_unit(model, image, {.layer = "copy", .unit = 0});
  std::ostringstream out;
  print_trace(out, t);
  const std::string text = out.str();
  for (const std::int32_t number : {t.sum, t.accumulator, t.level})
    CHECK(text.find(std::to_string(number)) != std::string::npos);
  CHECK(t.bias == -20);  // -5 << 2
  CHECK(text.find("+ -20 = ") != std::string::npos);
}
