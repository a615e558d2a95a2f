// The schema of model.json and its reader say the same: the same keys, defaults, ranges, refusals.
#include <doctest/doctest.h>

#include <map>

#include "core/base/file.hpp"
#include "layers/model_json.hpp"
#include "tests/layers/json_schema.hpp"

using namespace espalier;
using Json = tests::JsonSchema::Json;
namespace {

const Json& schema() {
  static const Json parsed = Json::parse(model_json_schema());
  return parsed;
}

bool schema_accepts(const Json& model) {
  return tests::JsonSchema(schema()).accepts(model);
}

// The reader's words, or "" where it builds the model.
std::string refusal(const std::string& text) {
  try {
    parse_model_json(text, "m");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

const Json& kinds() {
  return schema().at("properties").at("layers").at("items").at("oneOf");
}
std::string type_of(const Json& kind) {
  return kind.at("properties").at("type").at("const");
}

// The least that a layer of this kind wants.
Json least(const Json& kind) {
  static const std::map<std::string, Json> kValues = {
      {"filters", 2}, {"kernel_size", 3}, {"units", 2}, {"rate", 0.5}, {"with", "first"}};
  Json layer = {{"type", type_of(kind)}};
  for (const Json& key : kind.at("required"))
    if (key != "type") layer[key.get<std::string>()] = kValues.at(key.get<std::string>());
  return layer;
}

// The layer on 6 x 6 x 2, or on 72 numbers.
Json model_of(const Json& layer) {
  const bool dense = layer.at("type") == "Dense";
  return {{"input", {6, 6, 2}},
          {"layers", {{{"type", dense ? "Flatten" : "Relu"}, {"name", "first"}}, layer}}};
}

// "known: a, b, c" as the reader lists them.
std::set<std::string> known_keys(const std::string& refusal) {
  std::set<std::string> keys;
  const auto from = refusal.find("; known: ");
  if (from == std::string::npos) return keys;
  std::istringstream words(refusal.substr(from + 9));
  for (std::string word; words >> word;) keys.insert(word.substr(0, word.find(',')));
  return keys;
}

std::set<std::string> keys_of(const Json& properties) {
  std::set<std::string> keys;
  for (const auto& [key, _] : properties.items()) keys.insert(key);
  return keys;
}

// What one key's own words say, behind a $ref as well: bounds.
Json bounds_of(Json property) {
  if (property.contains("$ref"))
    property = schema()
                   .at("$defs")
                   .at(property.at("$ref").get<std::string>().substr(8))
                   .at("anyOf")
                   .at(property.at("$ref") == "#/$defs/size" ? 0 : 1);
  return property;
}

}  // namespace

TEST_CASE("the schema file is the schema") {
  const Bytes file =
      read_file(std::filesystem::path(ESPALIER_SOURCE_DIR) / "layers/model.schema.json");
  CHECK(std::string(file.begin(), file.end()) == model_json_schema());
}

TEST_CASE("reader and schema know the same kinds and the same keys") {
  std::set<std::string> types;
  for (const Json& kind : kinds()) {
    types.insert(type_of(kind));
    Json layer = least(kind);
    CHECK_MESSAGE(refusal(model_of(layer).dump()).empty(), layer);
    CHECK_MESSAGE(schema_accepts(model_of(layer)), layer);
    layer["qqqqqqqqqqqqqqqq"] = 1;
    CHECK(known_keys(refusal(model_of(layer).dump())) == keys_of(kind.at("properties")));
    CHECK_FALSE(schema_accepts(model_of(layer)));
    for (const Json& required : kind.at("required")) {
      Json without = least(kind);
      without.erase(required.get<std::string>());
      const auto& key = required.get<std::string>();
      Json model = model_of(least(kind));
      model["layers"][1] = without;
      CHECK(refusal(model.dump()) == "m: /layers/1: wants \"" + key + "\"");
      CHECK_FALSE(schema_accepts(model));
    }
  }
  CHECK(known_keys(refusal(model_of({{"type", "QQQQQQQQQQQQQQQQ"}}).dump())) == types);
  Json top = model_of({{"type", "Relu"}});
  top["qqqqqqqqqqqqqqqq"] = 1;
  CHECK(known_keys(refusal(top.dump())) == keys_of(schema().at("properties")));
  CHECK_FALSE(schema_accepts(top));
}

TEST_CASE("a default of the schema is what the reader takes where the key is missing") {
  int defaults = 0;
  for (const Json& kind : kinds()) {
    const Json model = model_of(least(kind));
    const ModelJson without = parse_model_json(model.dump(), "m");
    for (const auto& [name, property] : kind.at("properties").items()) {
      const std::string key = name;  // which the macros' lambdas may hold
      CHECK_MESSAGE((key == "type" || property.contains("description")), key);
      if (!property.contains("default")) continue;
      Json with_default = model;
      with_default["layers"][1][key] = property.at("default");
      CHECK(schema_accepts(with_default));
      const ModelJson with = parse_model_json(with_default.dump(), "m");
      CHECK_MESSAGE(format_model_json(with.model, with.input) ==
                        format_model_json(without.model, without.input),
                    type_of(kind) << " " << key);
      ++defaults;
    }
  }
  CHECK(defaults == 17);
}

TEST_CASE("bounds and words: at the last allowed value both accept, beyond it both refuse") {
  int bounds = 0, words = 0;
  for (const Json& kind : kinds())
    for (const auto& [name, property] : kind.at("properties").items()) {
      const std::string key = name;
      const auto judge = [&](const Json& value, bool fits) {
        Json model = model_of(least(kind));
        model["layers"][1][key] = value;
        CHECK_MESSAGE(schema_accepts(model) == fits, key << " " << value);
        // What fits a key may not fit the picture: then the reader says something else.
        const std::string text = refusal(model.dump());
        const bool of_key = text.find("wants a whole number from") != std::string::npos ||
                            text.find("wants a number from") != std::string::npos ||
                            text.find("wants a rate in") != std::string::npos ||
                            text.find("wants momentum in") != std::string::npos ||
                            text.find("wants epsilon >") != std::string::npos ||
                            text.find("unknown: ") != std::string::npos;
        CHECK_MESSAGE(of_key == !fits, key << " " << value << ": " << text);
      };
      const Json limits = bounds_of(property);
      const double step = limits.value("type", "") == "integer" ? 1 : 1.0 / 64;
      const auto number = [&](double v) { return step == 1 ? Json(std::int64_t(v)) : Json(v); };
      for (const auto& [word, away] : {std::pair("minimum", -step), std::pair("maximum", step)})
        if (limits.contains(word)) {
          judge(limits.at(word), true);
          judge(number(limits.at(word).get<double>() + away), false);
          ++bounds;
        }
      for (const auto& [word, back] :
           {std::pair("exclusiveMinimum", step), std::pair("exclusiveMaximum", -step)})
        if (limits.contains(word)) {
          judge(limits.at(word), false);
          judge(number(limits.at(word).get<double>() + back), true);
          ++bounds;
        }
      if (!property.contains("enum")) continue;
      for (const Json& word : property.at("enum")) judge(word, true);
      judge("neither", false);
      ++words;
    }
  CHECK(bounds == 34);
  CHECK(words == 7);
}

TEST_CASE("what a schema can refuse is refused by both") {
  const auto both_refuse = [](const std::string& text) {
    CHECK_MESSAGE(!refusal(text).empty(), text);
    CHECK_MESSAGE(!schema_accepts(Json::parse(text)), text);
  };
  for (const char* top : {"[]", "null", "{}", R"({"inputs": [8]})",
                          R"({"input": [8], "layers": 3})", R"({"input": [8], "layers": []})"})
    both_refuse(top);
  const std::string relu = R"(, "layers": [{"type": "Relu"}]})";
  for (const char* input :
       {"8", "[]", "[28, 28]", "[28, 28.5, 1]", "[0]", "[1048577]", "[1,1,1,1]"})
    both_refuse(std::string(R"({"input": )") + input + relu);
  for (const char* more : {R"("name": "")", R"("name": "a\nb")", R"("name": 3)", R"("labels": [])",
                           R"("labels": [3])", R"("$schema": 3)"})
    both_refuse(std::string(R"({"input": [1], )") + more + relu);
  for (const char* layer :
       {"3", "{}", R"({"type": "Conv2D"})", R"({"type": "Relu", "name": "a.b"})",
        R"({"type": "Relu", "name": ""})", R"({"type": "Relu", "from": 0})",
        R"({"type": "MaxPool2d", "pool_size": [2]})", R"({"type": "MaxPool2d", "pool_size": "2"})",
        R"({"type": "MaxPool2d", "pool_size": true})",
        R"({"type": "MaxPool2d", "strides": [2, 0]})",
        R"({"type": "MaxPool2d", "padding": "some"})",
        R"({"type": "MaxPool2d", "padding": [1, 0]})", R"({"type": "MaxPool2d", "padding": -1})",
        R"({"type": "BatchNorm", "momentum": "0.9"})"})
    both_refuse(std::string(R"({"input": [8, 8, 1], "layers": [)") + layer + "]}");
}

TEST_CASE("what models say is accepted by both") {
  for (const char* file : {"small.json", "large.json"}) {
    const Bytes text =
        read_file(std::filesystem::path(ESPALIER_SOURCE_DIR) / "apps/tutorial/models" / file);
    CHECK(schema_accepts(Json::parse(text)));
  }
  const std::string everything = R"({"$schema": "model.schema.json", "name": "\u00e9",
    "input": [12, 11, 2], "labels": ["cat", "dog"], "layers": [
    {"type": "Conv2d", "filters": 4, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same",
     "activation": "relu", "init": "glorot_uniform", "name": "first"},
    {"type": "DepthwiseConv2d", "kernel_size": 3, "padding": 1, "name": "second"},
    {"type": "Residual", "with": "first", "activation": "relu"},
    {"type": "MaxPool2d", "pool_size": 3, "strides": 1, "padding": [0, 1, 2, 0]},
    {"type": "GlobalAveragePool2d"}, {"type": "Dense", "units": 2}]})";
  CHECK(refusal(everything).empty());
  CHECK(schema_accepts(Json::parse(everything)));
}
