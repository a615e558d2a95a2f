// Whether a document is what a JSON Schema says: of draft 2020-12 the words that our schemas use, and
// no other.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

namespace tests {

class JsonSchema {
 public:
  using Json = nlohmann::ordered_json;
  explicit JsonSchema(Json whole) : whole_(std::move(whole)) {}

  bool accepts(const Json& value) const { return accepts(value, whole_); }

 private:
  bool accepts(const Json& value, const Json& schema) const {
    return std::ranges::all_of(schema.items(), [&](const auto& word) {
      return holds(value, schema, word.key(), word.value());
    });
  }

  bool holds(const Json& v, const Json& schema, const std::string& word, const Json& arg) const {
    static const std::set<std::string> kNotes = {"$schema", "$defs", "title", "description",
                                                 "default"};
    if (kNotes.contains(word)) return true;
    const auto all = [&](auto holds) { return std::ranges::all_of(v, holds); };
    const auto matching = [&] {
      return std::ranges::count_if(arg, [&](const Json& one) { return accepts(v, one); });
    };
    if (word == "type") return is(v, arg);
    if (word == "const") return v == arg;
    if (word == "enum") return std::ranges::find(arg, v) != arg.end();
    if (word == "anyOf") return matching() >= 1;
    if (word == "oneOf") return matching() == 1;
    if (word == "$ref")
      return accepts(v, whole_.at(Json::json_pointer(arg.get<std::string>().substr(1))));
    if (word == "minimum") return !v.is_number() || v >= arg;
    if (word == "maximum") return !v.is_number() || v <= arg;
    if (word == "exclusiveMinimum") return !v.is_number() || v > arg;
    if (word == "exclusiveMaximum") return !v.is_number() || v < arg;
    if (word == "minLength")
      return !v.is_string() || v.get<std::string>().size() >= arg.get<std::size_t>();
    if (word == "maxLength")
      return !v.is_string() || v.get<std::string>().size() <= arg.get<std::size_t>();
    if (word == "pattern")
      return !v.is_string() ||
             std::regex_search(v.get<std::string>(), std::regex(arg.get<std::string>()));
    if (word == "items")
      return !v.is_array() || all([&](const Json& element) { return accepts(element, arg); });
    if (word == "minItems") return !v.is_array() || v.size() >= arg.get<std::size_t>();
    if (word == "maxItems") return !v.is_array() || v.size() <= arg.get<std::size_t>();
    if (word == "required")
      return !v.is_object() || std::ranges::all_of(arg, [&](const Json& key) {
        return v.contains(key.get<std::string>());
      });
    if (word == "properties") return !v.is_object() || properties(v, arg);
    if (word == "additionalProperties")
      return !v.is_object() || std::ranges::all_of(v.items(), [&](const auto& item) {
        if (schema.contains("properties") && schema.at("properties").contains(item.key()))
          return true;
        return arg.is_boolean() ? arg.get<bool>() : accepts(item.value(), arg);
      });
    throw std::logic_error("a word of JSON Schema that this does not know: " + word);
  }

  bool properties(const Json& v, const Json& schemas) const {
    return std::ranges::all_of(schemas.items(), [&](const auto& item) {
      return !v.contains(item.key()) || accepts(v.at(item.key()), item.value());
    });
  }

  static bool is(const Json& v, const std::string& type) {
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_boolean();
    if (type == "integer") return v.is_number_integer();
    if (type == "number") return v.is_number();
    throw std::logic_error("a type that this does not know: " + type);
  }

  Json whole_;
};

}  // namespace tests
