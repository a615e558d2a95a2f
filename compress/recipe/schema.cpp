#include "compress/recipe/fields.hpp"
#include "core/base/text.hpp"
#include "layers/json_reader.hpp"

namespace espalier::recipe {
namespace {

// The properties of an object, from the same list that reading follows.
class Describer {
 public:
  explicit Describer(Json& object) : object_(object) {
    object_["type"] = "object";
    object_["additionalProperties"] = false;
  }
  void number(const std::string& key, float otherwise, Range range, const char* text) {
    Json& p = add(key, "number", text);
    limit(p, range);
    with_default(p, text, shortest_decimal(otherwise));
  }
  template <class T>
  void integer(const std::string& key, T otherwise, std::int64_t min, std::int64_t max,
               const char* text) {
    Json& p = add(key, "integer", text);
    p["minimum"] = min;
    p["maximum"] = max;
    with_default(p, text, otherwise);
  }
  void flag(const std::string& key, bool otherwise, const char* text) {
    with_default(add(key, "boolean", text), text, otherwise);
  }
  template <class E>
  void choice(const std::string& key, E otherwise, const Names<E>& names, const char* text) {
    Json& p = add(key, "string", text);
    p["enum"] = Json::array();
    for (const auto& [word, value] : names) {
      p["enum"].push_back(word);
      if (value == otherwise) with_default(p, text, word);
    }
  }
  void required_text(const std::string& key, const std::string&, const char* text) {
    add(key, "string", text);
    object_["required"].push_back(key);
  }
  void texts(const std::string& key, const std::vector<std::string>&, const char* text) {
    add(key, "array", text)["items"] = {{"type", "string"}};
  }
  void numbers(const std::string& key, const std::map<std::string, float>&, Range range,
               const char* text) {
    Json value = {{"type", "number"}};
    limit(value, range);
    add(key, "object", text)["additionalProperties"] = value;
  }
  void integers(const std::string& key, const std::map<std::string, int>&, std::int64_t min,
                std::int64_t max, const char* text) {
    add(key, "object", text)["additionalProperties"] = {
        {"type", "integer"}, {"minimum", min}, {"maximum", max}};
  }

 private:
  Json& add(const std::string& key, const char* type, const char* text) {
    Json& property = object_["properties"][key];
    property["type"] = type;
    property["description"] = text;
    return property;
  }
  static void limit(Json& p, Range range) {
    p[range.above_min ? "exclusiveMinimum" : "minimum"] = range.min;
    p[range.below_max ? "exclusiveMaximum" : "maximum"] = range.max;
  }
  // A default that depends on other keys stands in the text.
  template <class T>
  static void with_default(Json& p, const std::string& text, const T& value) {
    if (text.find("(default:") == std::string::npos) p["default"] = value;
  }

  Json& object_;
};

}  // namespace

std::string recipe_schema() {
  Json stage;
  Stage values;
  Describer describer(stage);
  fields(describer, values);
  passes(values, [&](const char* key, auto& pass, const char* text) {
    Json& object = stage["properties"][key];
    object["description"] = text;
    Describer inner(object);
    fields(inner, pass.emplace());
  });
  const Json schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Espalier recipe"},
      {"description",
       "Stages in their order; each is some epochs of training with the passes that ride in them "
       "(compress/recipe/RECIPES.md)"},
      {"type", "array"},
      {"minItems", 1},
      {"maxItems", 64},
      {"items", stage}};
  return schema.dump(1) + "\n";
}

}  // namespace espalier::recipe
