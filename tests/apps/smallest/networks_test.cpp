// The networks by name, shaped for the input at hand.
#include "apps/smallest/networks.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "layers/model_json.hpp"
#include "layers/summary.hpp"
#include "tests/layers/json_schema.hpp"

using namespace espalier;
using namespace espalier::apps;

TEST_CASE("every network by name maps images of several shapes to its classes") {
  for (const NetworkKind& kind : network_kinds())
    for (const Shape& image : {Shape{28, 28, 1}, Shape{32, 32, 3}, Shape{49, 40, 2}}) {
      CAPTURE(kind.name);
      Rng rng(1, "init");
      const Sequential model =
          make_network(kind, kind.small.front(), {.image = image, .classes = 7}, rng);
      CHECK(model.output_shape(image) == Shape{7});
    }
}

TEST_CASE("every network by name, as model.json, is what the schema says") {
  const tests::JsonSchema schema(tests::JsonSchema::Json::parse(model_json_schema()));
  for (const NetworkKind& kind : network_kinds()) {
    CAPTURE(kind.name);
    Rng rng(1, "init");
    const Shape image{32, 32, 3};
    const Sequential model = make_network(kind, kind.widths, {.image = image}, rng);
    CHECK(schema.accepts(tests::JsonSchema::Json::parse(format_model_json(model, image))));
  }
}

TEST_CASE("dscnn is MLPerf Tiny's for keywords, and its shape for other images") {
  Rng rng(1, "init");
  const NetworkKind& kind = network_kind("dscnn");
  Sequential keywords = make_network(kind, kind.widths, {.image = {49, 10, 1}, .classes = 12}, rng);
  // As Keras counts: 1,152 are the statistics of batch norm.
  const ParameterCount count = count_parameters(keywords);
  CHECK(count.trainable == 10 * 4 * 64 + 64 + 4 * (9 * 64 + 64 + 64 * 64 + 64) + 9 * 128 + 780);
  CHECK(count.non_trainable == 1152);
  CHECK(count.total() == 24908);
  CHECK(keywords.macs({49, 10, 1}) == 2656768);

  Sequential digits = make_network(kind, {8}, {}, rng);
  const std::string text = digits.describe();
  CHECK(text.starts_with("stem: Conv2d(1 -> 8, kernel 3, stride 2, padding same)\n"));
  CHECK(text.find("block4_depthwise: DepthwiseConv2d(8, kernel 3, stride 1, padding same)\n") !=
        std::string::npos);
  CHECK(text.find("pool: AveragePool2d(kernel 14, stride 14, padding valid)\n") !=
        std::string::npos);
  CHECK_THROWS_AS(make_network(kind, {8, 8}, {}, rng), Error);
}

TEST_CASE("mlp and tabular take pixels and columns, with any number of outputs") {
  for (const char* name : {"mlp", "tabular"})
    for (const Task& task : {Task{{28, 28, 1}, 10}, Task{{1, 1, 5}, 3}, Task{{1, 1, 2}, 1}}) {
      const NetworkKind& kind = network_kind(name);
      Rng rng(1, "init");
      const Sequential model = make_network(kind, kind.widths, task, rng);
      CHECK(model.output_shape(task.image) == Shape{task.classes});
    }
  Rng rng(1, "init");
  const NetworkKind& tabular = network_kind("tabular");
  Sequential five = make_network(tabular, tabular.widths, {{1, 1, 5}, 3}, rng);
  std::int64_t parameters = 0;
  five.visit({.parameter = [&](const std::string&, Parameter& p) {
    parameters += p.latent().shape().elements();
  }});
  CHECK(parameters == 5 * 64 + 64 + 64 * 32 + 32 + 32 * 3 + 3);
}
