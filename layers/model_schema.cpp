#include "core/base/text.hpp"
#include "layers/json_reader.hpp"
#include "layers/model_fields.hpp"
#include "layers/model_json.hpp"

namespace espalier {
namespace {

using namespace model_json;

constexpr const char* kNoControls = "^[^\\u0000-\\u001f\\u007f]+$";
constexpr const char* kNoControlsNorDots = "^[^.\\u0000-\\u001f\\u007f]+$";

Json whole_number(std::int64_t min, std::int64_t max) {
  return {{"type", "integer"}, {"minimum", min}, {"maximum", max}};
}
Json several(const Json& element, std::size_t min, std::size_t max) {
  return {{"type", "array"}, {"items", element}, {"minItems", min}, {"maxItems", max}};
}
// maxLength counts characters, the reader bytes: no string is refused here that it accepts.
Json text_like(const char* pattern) {
  return {{"type", "string"}, {"maxLength", kMaxNameBytes}, {"pattern", pattern}};
}
Json described(Json schema, const std::string& text) {
  schema["description"] = text;
  return schema;
}

// The properties of a layer, from the same list that reading follows.
class Describer {
 public:
  explicit Describer(Json& object) : object_(object) {}

  void required_integer(const char* key, std::int64_t, std::int64_t min, std::int64_t max,
                        const char* text) {
    require(key);
    add(key, whole_number(min, max), text);
  }
  void required_size(const char* key, const Size2d&, const char* text) {
    require(key);
    add(key, {{"$ref", "#/$defs/size"}}, text);
  }
  void size(const char* key, const Size2d& otherwise, const char* text) {
    add(key, {{"$ref", "#/$defs/size"}}, text)["default"] = otherwise.h;
  }
  void size(const char* key, const std::optional<Size2d>&, const char* text) {
    add(key, {{"$ref", "#/$defs/size"}}, text);
  }
  void padding(const char* key, const Padding&, const char* text) {
    add(key, {{"$ref", "#/$defs/padding"}}, text)["default"] = "valid";
  }
  void number(const char* key, float otherwise, Share share, const char* text) {
    add(key, number_in(share), text)["default"] = shortest_decimal(otherwise);
  }
  void required_number(const char* key, float, Share share, const char* text) {
    require(key);
    add(key, number_in(share), text);
  }
  void required_layer(const char* key, const std::string&, const char* text) {
    require(key);
    add(key, text_like(kNoControls), text);
  }
  template <class E>
  void choice(const char* key, E otherwise, const Names<E>& names, const char* text) {
    Json words = Json::array();
    for (const auto& [word, _] : names) words.push_back(word);
    Json& property = add(key, {{"type", "string"}, {"enum", words}}, text);
    for (const auto& [word, value] : names)
      if (value == otherwise) property["default"] = word;
  }

 private:
  static Json number_in(Share share) {
    return {{"type", "number"},
            {share.above_zero ? "exclusiveMinimum" : "minimum", 0},
            {share.below_one ? "exclusiveMaximum" : "maximum", 1}};
  }
  Json& add(const char* key, Json schema, const char* text) {
    return object_["properties"][key] = described(std::move(schema), text);
  }
  void require(const char* key) { object_["required"].push_back(key); }

  Json& object_;
};

Json layer_schemas() {
  Json kinds = Json::array();
  for_each_kind([&](const char* type, const char* stem, auto record, const char* text) {
    Json kind = {{"description", text},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"required", {"type"}}};
    kind["properties"]["type"] = {{"const", type}};
    Describer describer(kind);
    fields(describer, record);
    kind["properties"]["name"] = described(
        text_like(kNoControlsNorDots),
        std::string("Begins the names of its parameters (default: ") + stem + "_1 and so on)");
    kind["properties"]["from"] =
        described(text_like(kNoControls),
                  "The layer before that it reads, by name (default: the one right before)");
    kinds.push_back(kind);
  });
  return kinds;
}

}  // namespace

std::string model_json_schema() {
  const Json size = {
      {"description", "A whole number, or [height, width]"},
      {"anyOf", {whole_number(1, kMaxWindow), several(whole_number(1, kMaxWindow), 2, 2)}}};
  const Json padding = {
      {"description",
       "valid: none; same: as many as give ceil(input / strides); a number of every side; or [top, "
       "left, bottom, right]. Below the window's size"},
      {"anyOf",
       {{{"enum", {"valid", "same"}}},
        whole_number(0, kMaxWindow),
        several(whole_number(0, kMaxWindow), 4, 4)}}};
  Json input = described({{"type", "array"}, {"items", whole_number(1, kMaxSize)}},
                         "Of one example: [height, width, channels], or [features]");
  input["anyOf"] = {{{"minItems", 1}, {"maxItems", 1}}, {{"minItems", 3}, {"maxItems", 3}}};
  Json name = described(text_like(kNoControls), "Of the network");
  name["default"] = "model";
  Json labels = described({{"type", "array"}, {"items", text_like(kNoControls)}, {"minItems", 1}},
                          "The classes' names, one an output (default: the data's)");
  Json layers = several({{"oneOf", layer_schemas()}}, 1, kMaxLayers);
  layers["description"] = "First to last; each takes what the one before it yields";
  const Json schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Espalier model"},
      {"description", "A network as a list of layers (layers/model_json.hpp)"},
      {"type", "object"},
      {"additionalProperties", false},
      {"required", {"input", "layers"}},
      {"properties",
       {{"name", name},
        {"input", input},
        {"labels", labels},
        {"layers", layers},
        {"$schema", described({{"type", "string"}, {"minLength", 1}, {"maxLength", 4096}},
                              "Where this schema lies, for editors; reading passes it over")}}},
      {"$defs", {{"size", size}, {"padding", padding}}}};
  return schema.dump(1) + "\n";
}

}  // namespace espalier
