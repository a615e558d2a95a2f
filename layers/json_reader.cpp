#include "layers/json_reader.hpp"

#include <algorithm>
#include <set>

#include "core/base/text.hpp"

namespace espalier {
namespace {

constexpr std::size_t kMaxNesting = 16;
constexpr std::size_t kMaxShownBytes = 60;

// At most `limit` bytes, never half a UTF-8 character.
std::string cut(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (text[limit] & 0xc0) == 0x80) --limit;
  return text.substr(0, limit) + "...";
}

// Watches the parser for what nlohmann/json accepts silently: keys that stand twice, deep nesting.
class Watcher {
 public:
  explicit Watcher(const std::string& file) : file_(file) {}

  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::key) {
      const auto key = parsed.get<std::string>();
      require(open_.back().keys.insert(key).second, ErrorKind::kCorrupt, file_ + ": " + pointer(),
              "the key ", JsonReader::shown(parsed), " stands twice");
      open_.back().step = key;
    } else if (event == Event::object_end || event == Event::array_end) {
      open_.pop_back();
    } else {
      if (!open_.empty() && open_.back().array)
        open_.back().step = std::to_string(open_.back().next++);
      if (event != Event::value) {
        require(open_.size() < kMaxNesting, ErrorKind::kCorrupt, file_, "is nested deeper than ",
                kMaxNesting, " levels");
        open_.push_back({.array = event == Event::array_start});
      }
    }
    return true;
  }

 private:
  struct Level {
    bool array = false;
    std::size_t next = 0;
    std::string step = {};
    std::set<std::string> keys = {};
  };

  // Of the innermost open object.
  std::string pointer() const {
    std::string text;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) text += "/" + open_[i].step;
    return cut(text.empty() ? "top level" : text, kMaxShownBytes);
  }

  const std::string& file_;
  std::vector<Level> open_;
};

// nlohmann/json gives syntax errors a place, but not numbers beyond double.
struct NumberFinder : nlohmann::detail::json_sax_acceptor<Json> {
  bool parse_error(std::size_t position, const std::string& token, const Json::exception&) {
    begin = position - std::min(position, token.size());
    return false;
  }
  std::size_t begin = 0;
};

std::string place_of_overflow(std::string_view text) {
  NumberFinder finder;
  Json::sax_parse(text, &finder, Json::input_format_t::json, /*strict=*/true,
                  /*ignore_comments=*/true);
  const std::string_view before = text.substr(0, finder.begin);
  const auto line = 1 + std::ranges::count(before, '\n');
  return "parse error at line " + std::to_string(line) + ", column " +
         std::to_string(before.size() - (before.rfind('\n') + 1) + 1) + ": ";
}

}  // namespace

Json parse_json(std::string_view text, const std::string& file) {
  try {
    return Json::parse(text, Watcher(file), /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 2, column 5: ..."
    std::string message = error.what();
    message = message.substr(std::min(message.size(), message.find("] ") + 2));
    if (dynamic_cast<const Json::out_of_range*>(&error))
      message = place_of_overflow(text) + message;
    fail(ErrorKind::kCorrupt, file, "is not JSON: ", cut(message, 200));
  }
}

std::string JsonReader::place() const {
  return file_ + ": " + (pointer_.empty() ? "top level" : pointer_);
}

std::string JsonReader::shown(const Json& value) {
  return cut(value.dump(-1, ' ', false, Json::error_handler_t::replace), kMaxShownBytes);
}

std::optional<JsonReader> JsonReader::find(const std::string& key) const {
  check(value_.is_object(), "wants an object {...}, got ", shown());
  const auto found = value_.find(key);
  if (found == value_.end()) return {};
  return JsonReader(*found, file_, pointer_ + "/" + key);
}

JsonReader JsonReader::at(const std::string& key) const {
  const auto found = find(key);
  check(found.has_value(), "wants \"", key, "\"");
  return *found;
}

void JsonReader::allow_only(const std::vector<std::string>& known) const {
  check(value_.is_object(), "wants an object {...}, got ", shown());
  for (const auto& [key, _] : value_.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = nearest(key, known);
    check(false, "unknown key ", shown(Json(key)),
          near.empty() ? "; known: " + join(known, ", ") : "; did you mean \"" + near + "\"?");
  }
}

std::vector<JsonReader> JsonReader::elements(std::size_t min, std::size_t max) const {
  check(value_.is_array(), "wants an array [...], got ", shown());
  check(min <= value_.size() && value_.size() <= max, "wants ", min,
        min == max ? std::string() : " to " + std::to_string(max), " elements, got ",
        value_.size());
  std::vector<JsonReader> all;
  for (std::size_t i = 0; i < value_.size(); ++i)
    all.emplace_back(value_[i], file_, pointer_ + "/" + std::to_string(i));
  return all;
}

std::int64_t JsonReader::integer(std::int64_t min, std::int64_t max) const {
  // Unsigned numbers beyond int64 are above every limit.
  const bool fits = value_.is_number_unsigned()
                        ? value_.get<std::uint64_t>() <= static_cast<std::uint64_t>(max)
                        : value_.is_number_integer() && value_.get<std::int64_t>() <= max;
  check(fits && value_.get<std::int64_t>() >= min, "wants a whole number from ", min, " to ", max,
        ", got ", shown());
  return value_.get<std::int64_t>();
}

double JsonReader::number(double min, double max) const {
  check(value_.is_number() && min <= value_.get<double>() && value_.get<double>() <= max,
        "wants a number from ", min, " to ", max, ", got ", shown());
  return value_.get<double>();
}

bool JsonReader::flag() const {
  check(value_.is_boolean(), "wants true or false, got ", shown());
  return value_.get<bool>();
}

std::string JsonReader::text(std::size_t max_bytes) const {
  check(value_.is_string(), "wants a string, got ", shown());
  const auto& text = value_.get_ref<const std::string&>();
  check(!text.empty() && text.size() <= max_bytes, "wants 1 to ", max_bytes, " bytes, got ",
        text.size());
  check(std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
        "wants text without control characters, got ", shown());
  return text;
}

std::string JsonReader::choice(const std::vector<std::string>& known) const {
  check(value_.is_string(), "wants one of \"", join(known, "\", \""), "\", got ", shown());
  const auto& text = value_.get_ref<const std::string&>();
  if (std::ranges::find(known, text) != known.end()) return text;
  const std::string near = text.size() > 64 ? "" : nearest(text, known);
  check(false, "unknown: ", shown(),
        near.empty() ? "; known: " + join(known, ", ") : "; did you mean \"" + near + "\"?");
  return {};
}

}  // namespace espalier
