#include "layers/model_json.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "core/base/file.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/summary.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
namespace {

const std::filesystem::path kModels =
    std::filesystem::path(ESPALIER_SOURCE_DIR) / "apps/tutorial/models";

std::string text_of(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

Tensor forward(Sequential& model, const Shape& input) {
  std::vector<std::int64_t> sizes = {2};
  sizes.insert(sizes.end(), input.sizes().begin(), input.sizes().end());
  Tensor x{Shape(std::span<const std::int64_t>(sizes))};
  Rng rng(1, "data");
  for (float& v : x.mutable_values()) v = rng.uniform(0, 1);
  return model(Variable(x)).value();
}

// Every layer, every option away from its default.
const char kEverything[] = R"({
  "name": "everything", "input": [12, 11, 2], "labels": ["cat", "dog", "\u00e9l\u00e9phant"],
  "layers": [
    {"type": "Conv2d", "filters": 4, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same",
     "activation": "relu", "init": "glorot_uniform", "name": "first"},
    {"type": "BatchNorm", "momentum": 0.9, "epsilon": 1e-5},
    {"type": "MaxPool2d", "pool_size": 3, "strides": 1, "padding": [0, 1, 2, 0]},
    {"type": "Conv2d", "filters": 3, "kernel_size": 3, "padding": 1},
    {"type": "Relu", "name": "rectify"},
    {"type": "AveragePool2d", "pool_size": [2, 3], "padding": "same"},
    {"type": "Flatten"},
    {"type": "Dense", "units": 5, "activation": "relu", "init": "he_normal"},
    {"type": "Dropout", "rate": 0.25},
    {"type": "Dense", "units": 3, "activation": "linear"}]})";

}  // namespace

TEST_CASE("the tutorial's files build the built-in models, weight for weight, and are their text") {
  const auto same = [](const char* file, Sequential built_in) {
    ModelJson read = load_model_json(kModels / file, {.seed = 5});
    CHECK(read.input == Shape{28, 28, 1});
    CHECK(read.model.describe() == built_in.describe());
    CHECK(summary(read.model, read.input) == summary(built_in, read.input));
    CHECK(std::ranges::equal(forward(read.model, read.input).values(),
                             forward(built_in, read.input).values()));
    CHECK(format_model_json(built_in, read.input, read.name) == text_of(kModels / file));
  };
  same("small.json", small_model(5));
  same("large.json", large_model(5));
}

TEST_CASE("a model that uses every word builds what it says and reads back as itself") {
  ModelJson a = parse_model_json(kEverything, "a.json");
  CHECK(a.name == "everything");
  CHECK(a.labels.at(2) == "\u00e9l\u00e9phant");
  CHECK(a.model.describe() ==
        "first: Conv2d(2 -> 4, kernel 3x2, stride 2x1, padding same)\nfirst_relu: Relu()\n"
        "batch_norm_1: BatchNorm(4)\n"
        "max_pool2d_1: MaxPool2d(kernel 3, stride 1, padding 0/1/2/0)\n"
        "conv2d_1: Conv2d(4 -> 3, kernel 3, stride 1, padding 1)\nrectify: Relu()\n"
        "average_pool2d_1: AveragePool2d(kernel 2x3, stride 2x3, padding same)\n"
        "flatten_1: Flatten()\ndense_1: Dense(36 -> 5)\ndense_1_relu: Relu()\n"
        "dropout_1: Dropout(0.25)\ndense_2: Dense(5 -> 3)\n");
  const std::string text = format_model_json(a.model, a.input, a.name, a.labels);
  ModelJson b = parse_model_json(text, "b.json", {.seed = 99});
  CHECK(format_model_json(b.model, b.input, b.name, b.labels) == text);
  CHECK(summary(a.model, a.input) == summary(b.model, b.input));
  CHECK(b.labels == a.labels);
  CHECK(
      !std::ranges::equal(forward(a.model, a.input).values(), forward(b.model, b.input).values()));
  copy_parameters(a.model, b.model);
  CHECK(std::ranges::equal(forward(a.model, a.input).values(), forward(b.model, b.input).values()));
}

TEST_CASE("GlobalAveragePool2d is the mean of each channel") {
  ModelJson a = parse_model_json(
      R"({"input": [5, 3, 2], "layers": [{"type": "GlobalAveragePool2d", "name": "mean"}]})", "a");
  CHECK(a.model.describe() ==
        "mean: AveragePool2d(kernel 5x3, stride 5x3, padding valid)\nmean_flatten: Flatten()\n");
  Tensor x({1, 5, 3, 2});
  for (int i = 0; i < 30; ++i)
    x.mutable_values()[static_cast<std::size_t>(i)] = static_cast<float>(i);
  const Tensor y = a.model(Variable(x)).value();
  REQUIRE(y.shape() == Shape{1, 2});
  CHECK(y.values()[0] == doctest::Approx(14));
  CHECK(y.values()[1] == doctest::Approx(15));
  CHECK(parse_model_json(format_model_json(a.model, a.input), "b").model.describe() ==
        a.model.describe());
}

TEST_CASE("given names win over made ones") {
  const ModelJson a = parse_model_json(
      R"({"input": [4], "layers": [{"type": "Dense", "units": 4, "activation": "relu", "name": "a"},
          {"type": "Dense", "units": 2}, {"type": "Relu", "name": "a_relu"},
          {"type": "Relu", "name": "dense_1"}]})",
      "a.json");
  std::vector<std::string> names;
  for (const auto& entry : a.model.layers()) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"a", "a_relu_1", "dense_2", "a_relu", "dense_1"});
  CHECK(parse_model_json(format_model_json(a.model, a.input), "b").model.describe() ==
        a.model.describe());
}

TEST_CASE("what JSON has no word for is refused") {
  Sequential inner, outer;
  outer.add("inner", std::move(inner));
  CHECK_THROWS_AS(format_model_json(outer, {4}), Error);
  CHECK_THROWS_AS(format_model_json(small_model(1), {4}), Error);
}
