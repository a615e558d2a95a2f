// Reads JSON that people write: strict but for comments (// and /* */), with limits, and with errors
// that say where.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace espalier {

using Json = nlohmann::ordered_json;

// `file` names the text in errors. Errors (kCorrupt): bad syntax, with line and column; a key that
// stands twice in one object; more than 16 levels of nesting; a number beyond double's range.
Json parse_json(std::string_view text, const std::string& file);

// A value and its place. Every error is kCorrupt and reads "file: /layers/2/units: wants ...". A
// reader looks into the value that it was made of, which must outlive it.
class JsonReader {
 public:
  JsonReader(const Json& value, std::string file, std::string pointer = {})
      : value_(value), file_(std::move(file)), pointer_(std::move(pointer)) {}

  const Json& value() const { return value_; }

  // Objects. Errors: this is no object; the key is missing.
  JsonReader at(const std::string& key) const;
  std::optional<JsonReader> find(const std::string& key) const;
  // Errors: a key that is not among `known`, with a suggestion.
  void allow_only(const std::vector<std::string>& known) const;

  // Arrays. Errors: this is no array; fewer or more elements than allowed.
  std::vector<JsonReader> elements(std::size_t min, std::size_t max) const;

  // Scalars. Errors: another type; out of range. An integer is written without point and exponent.
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  double number(double min, double max) const;
  bool flag() const;  // true or false
  std::string text(std::size_t max_bytes) const;
  // One of `known`. Errors: none of them, with a suggestion.
  std::string choice(const std::vector<std::string>& known) const;

  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, ErrorKind::kCorrupt, place(), parts...);
  }
  std::string place() const;                           // "file: /layers/2"
  std::string shown() const { return shown(value_); }  // the value, cut to one short line
  static std::string shown(const Json& value);

 private:
  const Json& value_;
  std::string file_, pointer_;
};

}  // namespace espalier
