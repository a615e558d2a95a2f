// model.json comes from people and from strangers: whatever it holds, the answer is one line that
// names the place, at once and without large memory.
#include <doctest/doctest.h>

#include <algorithm>

#include "layers/model_json.hpp"

using namespace espalier;
namespace {

// The error's text, or "" where it is accepted. Anything but a kCorrupt Error of one short line
// fails.
std::string refusal(const std::string& text) {
  try {
    parse_model_json(text, "m.json");
    return "";
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK(message.starts_with("m.json: "));
    CHECK(message.size() < 400);
    CHECK(std::ranges::none_of(message, [](unsigned char c) { return c < 0x20; }));
    return message;
  }
}

std::string with_layers(const std::string& layers) {
  return R"({"input": [8, 8, 1], "layers": [)" + layers + "]}";
}

void refuses(const std::string& text, const std::string& wanted) {
  CHECK(refusal(text) == "m.json: " + wanted);
}
void refuses_layers(const std::string& layers, const std::string& wanted) {
  refuses(with_layers(layers), wanted);
}

const std::string kGood =
    R"({"name": "g", "input": [8, 8, 1], "layers": [{"type": "Conv2d", "filters": 2,
 "kernel_size": [3, 2], "padding": "same"}, {"type": "BatchNorm", "epsilon": 1e-3}, )"
    R"({"type": "Flatten"}, {"type": "Dense", "units": 3}], "labels": ["a", "\u00e9", "c"]})";

}  // namespace

TEST_CASE("every prefix is refused; every changed byte is refused or builds something") {
  REQUIRE(refusal(kGood).empty());
  for (std::size_t n = 0; n < kGood.size(); ++n) CHECK(!refusal(kGood.substr(0, n)).empty());
  for (std::size_t i = 0; i < kGood.size(); ++i)
    for (const char c : {'\0', '"', '9', '-', '}', '\xff', ' ', 'e'}) {
      std::string changed = kGood;
      changed[i] = c;
      refusal(changed);
    }
}

TEST_CASE("syntax errors give line and column") {
  CHECK(refusal("").starts_with("m.json: is not JSON: parse error at line 1, column 1: "));
  CHECK(refusal("{\n  \"input\": [8,, 8]}")
            .starts_with("m.json: is not JSON: parse error at line 2, column 15: "));
  CHECK(refusal("{} {}").starts_with("m.json: is not JSON: parse error at line 1, column 4: "));
  CHECK(refusal("{\"name\": \"" + std::string(100000, 'x')).size() < 300);
  // A number beyond double, after the same characters in a string.
  refuses("{\"name\": \"1e999\",\n \"input\": [-1e999]}",
          "is not JSON: parse error at line 2, column 12: number overflow parsing '-1e999'");
  // Comments are passed over, and counted in the place of what follows.
  refuses("/* 1e9999 */\n1e999",
          "is not JSON: parse error at line 2, column 1: number overflow parsing '1e999'");
  CHECK(refusal("{} // {}\n/* open").find("missing closing '*/'") != std::string::npos);
  refuses("1e999", "is not JSON: parse error at line 1, column 1: number overflow parsing '1e999'");
}

TEST_CASE("the top level: types, unknown and doubled keys, input, labels") {
  refuses("[]", "top level: wants an object {...}, got []");
  refuses("null", "top level: wants an object {...}, got null");
  refuses("{}", "top level: wants \"input\"");
  refuses(R"({"inputs": [8]})", R"(top level: unknown key "inputs"; did you mean "input"?)");
  refuses(R"({"input": [8], "layers": 3})", "/layers: wants an array [...], got 3");
  refuses(R"({"input": [8], "layers": []})", "/layers: wants 1 to 1024 elements, got 0");
  refuses(R"({"input": [8], "input": [8]})", R"(top level: the key "input" stands twice)");
  refuses(R"({"input": 8, "layers": []})", "/input: wants an array [...], got 8");
  refuses(R"({"input": [], "layers": []})", "/input: wants 1 to 3 elements, got 0");
  refuses(R"({"input": [28, 28], "layers": []})", "/input: wants [H, W, C] or [F], got [28,28]");
  refuses(R"({"input": [28, 28.0, 1], "layers": []})",
          "/input/1: wants a whole number from 1 to 1048576, got 28.0");
  refuses(R"({"input": [-1], "layers": []})",
          "/input/0: wants a whole number from 1 to 1048576, got -1");
  refuses(R"({"input": [1048576, 1048576, 1048576], "layers": []})",
          "/input: has more than 268435456 values: [1048576,1048576,1048576]");
  refuses(R"({"name": "a\nb", "input": [8], "layers": []})",
          R"(/name: wants text without control characters, got "a\nb")");
  refuses(R"({"input": [8], "labels": ["a"], "layers": [{"type": "Relu"}]})",
          "/labels: wants 8 elements, got 1");
  refuses(R"({"input": [1], "labels": [1], "layers": [{"type": "Relu"}]})",
          "/labels/0: wants a string, got 1");
}

TEST_CASE("layers: types, names, keys and numbers") {
  refuses_layers("3", "/layers/0: wants an object {...}, got 3");
  refuses_layers("{}", R"(/layers/0: wants "type")");
  refuses_layers(R"({"type": "Conv2D"})",
                 R"(/layers/0/type: unknown: "Conv2D"; did you mean "Conv2d"?)");
  refuses_layers(R"({"type": "LSTM"}, {"type": "Relu"})",
                 R"(/layers/0/type: unknown: "LSTM"; known: Conv2d, DepthwiseConv2d, MaxPool2d, )"
                 R"(AveragePool2d, GlobalAveragePool2d, BatchNorm, Dense, Dropout, Relu, Flatten, )"
                 "Residual");
  refuses_layers(R"({"type": "Flatten"}, {"type": "GlobalAveragePool2d"})",
                 "/layers/1: wants an image [H W C], got [64]");
  refuses_layers(R"({"type": "Relu"}, {"type": "Relu", "units": 3})",
                 R"(/layers/1: unknown key "units"; known: type, name, from)");
  refuses_layers(R"({"type": "Relu", "name": "first"}, {"type": "Relu", "from": "frist"})",
                 R"(/layers/1/from: wants the name of a layer before, got "frist"; did you mean )"
                 R"("first"?)");
  refuses_layers(R"({"type": "Relu", "name": "a", "from": "a"})",
                 R"(/layers/0/from: wants the name of a layer before, got "a")");
  refuses_layers(R"({"type": "Relu", "name": "a"}, {"type": "Relu", "name": "unread"},
                     {"type": "Relu", "from": "a"})",
                 R"(/layers/1: no layer reads what it yields; name it in a layer's "from" or )"
                 R"("with", or take it out)");
  refuses_layers(R"({"type": "Relu"}, {"type": "Residual"})", R"(/layers/1: wants "with")");
  refuses_layers(R"({"type": "Relu", "name": "a"}, {"type": "MaxPool2d"},
                     {"type": "Residual", "with": "a"})",
                 "/layers/2/with: adds [8x8x1] to [4x4x1]; make both alike, for example by a 1x1 "
                 "convolution with the same strides");
  refuses_layers(R"({"type": "Conv2d", "filters": 1, "kernal_size": 3})",
                 R"(/layers/0: unknown key "kernal_size"; did you mean "kernel_size"?)");
  refuses_layers(R"({"type": "Relu", "name": "a"}, {"type": "Relu", "name": "a"})",
                 R"(/layers/1/name: the name "a" is taken by a layer before)");
  refuses_layers(R"({"type": "Relu", "name": "a.b"})",
                 R"(/layers/0/name: wants a name without dots, got "a.b")");
  refuses_layers(R"({"type": "Relu", "name": ""})", "/layers/0/name: wants 1 to 64 bytes, got 0");
  refuses_layers(R"({"type": "Relu", "type": "Relu"})",
                 R"(/layers/0: the key "type" stands twice)");
  refuses_layers(R"({"type": "Conv2d", "filters": 1})", R"(/layers/0: wants "kernel_size")");
  for (const char* bad : {"0", "-3", "3.5", "1e2", "\"3\"", "4097", "18446744073709551615",
                          "99999999999999999999999", "true", "null", "{}"})
    CHECK(
        refusal(with_layers(std::string(R"({"type": "MaxPool2d", "pool_size": )") + bad + "}"))
            .starts_with("m.json: /layers/0/pool_size: wants a whole number from 1 to 4096, got "));
  refuses_layers(R"({"type": "MaxPool2d", "pool_size": [2]})",
                 "/layers/0/pool_size: wants 2 elements, got 1");
  refuses_layers(R"({"type": "MaxPool2d", "strides": [2, 0]})",
                 "/layers/0/strides/1: wants a whole number from 1 to 4096, got 0");
  refuses_layers(R"({"type": "MaxPool2d", "padding": "some"})",
                 R"(/layers/0/padding: unknown: "some"; did you mean "same"?)");
  refuses_layers(R"({"type": "Dropout"})", R"(/layers/0: wants "rate")");
  refuses_layers(R"({"type": "Dropout", "rate": 1})",
                 "/layers/0/rate: Dropout: wants a rate in [0, 1), got 1");
  refuses_layers(R"({"type": "BatchNorm", "epsilon": 1e-60})",
                 "/layers/0: BatchNorm: wants epsilon > 0, got 0");
  refuses_layers(R"({"type": "BatchNorm", "momentum": "0.9"})",
                 R"(/layers/0/momentum: wants a number from 0 to 1, got "0.9")");
  refuses_layers(R"({"type": "Dropout", "rate": 1e300})",
                 "/layers/0/rate: wants a number from 0 to 1, got 1e+300");
  refuses_layers(R"({"type": "Flatten"}, {"type": "Dense", "units": 9, "activation": "softmax"})",
                 "/layers/1/activation: softmax is part of the loss and changes no prediction; "
                 "leave it out");
  refuses_layers(R"({"type": "Flatten"}, {"type": "Dense", "units": 9, "init": "he_norm"})",
                 R"(/layers/1/init: unknown: "he_norm"; did you mean "he_normal"?)");
}

TEST_CASE("shapes that do not fit") {
  refuses_layers(R"({"type": "MaxPool2d"}, {"type": "MaxPool2d"},
                    {"type": "Conv2d", "filters": 4, "kernel_size": 3})",
                 "/layers/2/kernel_size: 3 is larger than the padded input, 2x2; use a smaller one "
                 "or \"padding\": \"same\"");
  refuses(R"({"input": [1, 9, 1], "layers": [{"type": "MaxPool2d"}]})",
          "/layers/0: 2 is larger than the padded input, 1x9; use a smaller one or \"padding\": "
          "\"same\"");
  refuses_layers(R"({"type": "MaxPool2d", "pool_size": [9, 1]})",
                 "/layers/0/pool_size: 9x1 is larger than the padded input, 8x8; use a smaller one "
                 "or \"padding\": \"same\"");
  refuses_layers(R"({"type": "MaxPool2d", "padding": 2})",
                 "/layers/0: MaxPool2d: wants padding from 0 to below the kernel's size 2, got 2");
  refuses_layers(
      R"({"type": "Dense", "units": 4})",
      R"(/layers/0: wants features [F], got [8x8x1]; put {"type": "Flatten"} before it)");
  refuses_layers(R"({"type": "DepthwiseConv2d", "kernel_size": 9})",
                 "/layers/0/kernel_size: 9 is larger than the padded input, 8x8; use a smaller one "
                 "or \"padding\": \"same\"");
  refuses_layers(R"({"type": "Flatten"}, {"type": "DepthwiseConv2d", "kernel_size": 1})",
                 "/layers/1: wants an image [H W C], got [64]");
  refuses_layers(R"({"type": "Flatten"}, {"type": "MaxPool2d"})",
                 "/layers/1: wants an image [H W C], got [64]");
}

TEST_CASE("limits hold before memory is taken") {
  refuses_layers(R"({"type": "Conv2d", "filters": 1048576, "kernel_size": 4096, "padding": 4095})",
                 "/layers/0: the model passes 67108864 parameters; make this layer or those before "
                 "smaller");
  refuses_layers(R"({"type": "Conv2d", "filters": 65536, "kernel_size": 1},
                    {"type": "DepthwiseConv2d", "kernel_size": 4096, "padding": 4095})",
                 "/layers/1: the model passes 67108864 parameters; make this layer or those before "
                 "smaller");
  refuses_layers(R"({"type": "DepthwiseConv2d", "filters": 4, "kernel_size": 3})",
                 R"(/layers/0: unknown key "filters"; known: kernel_size, strides, padding, )"
                 R"(activation, init, type, name, from)");
  refuses_layers(R"({"type": "MaxPool2d", "pool_size": 4096, "strides": 1, "padding": 4095},
                    {"type": "AveragePool2d", "pool_size": 4096, "strides": 1, "padding": 4095},
                    {"type": "AveragePool2d", "pool_size": 4096, "strides": 1, "padding": 4095},
                    {"type": "AveragePool2d", "pool_size": 4096, "strides": 1, "padding": 4095},
                    {"type": "AveragePool2d", "pool_size": 4096, "strides": 1, "padding": 4095})",
                 "/layers/3: yields 268566544 values, more than 268435456");
  CHECK_THROWS_AS(parse_model_json(kGood, "m.json", {.max_parameters = 10}), Error);
  std::string many = R"({"type": "Relu"})";
  for (int i = 0; i < 1024; ++i) many += R"(, {"type": "Relu"})";
  refuses_layers(many, "/layers: wants 1 to 1024 elements, got 1025");
  refuses(std::string((1 << 20) + 1, ' '), "has 1048577 bytes, more than 1048576");
  refuses(std::string(1 << 20, '['), "is nested deeper than 16 levels");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
  refuses(deep, "is nested deeper than 16 levels");
}
