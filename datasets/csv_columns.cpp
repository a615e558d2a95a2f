#include "datasets/csv_columns.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "core/base/text.hpp"
#include "datasets/class_names.hpp"
#include "datasets/csv_cell.hpp"

namespace espalier::datasets {
namespace {

using Cells = std::vector<std::string>;

std::string listed(const Cells& cells) {
  return join(cells, ", ").substr(0, 200);
}

std::optional<std::size_t> by_number(const std::string& text, std::size_t count) {
  std::size_t column = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), column);
  if (failure != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  require(column >= 1 && column <= count, "label", "there is no column ", column,
          "; the file has 1 to ", count);
  return column - 1;
}

// `taken`: what is meant otherwise.
std::string did_you_mean(const std::string& name, Cells cells, const Cells& taken = {}) {
  std::erase_if(cells, [&](const std::string& cell) {
    return any_number(cell) || std::ranges::count(taken, cell) > 0;
  });
  const std::string near = nearest(name, cells);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

// That the user gave, by number or by name.
std::size_t given_label(const Cells& first, const CsvOptions& options) {
  if (const auto column = by_number(options.label, first.size())) return *column;
  const auto at = std::ranges::find(first, options.label);
  require(at != first.end() && options.header != false, "label", "there is no column '",
          options.label, "'; the first row is ", listed(first), did_you_mean(options.label, first));
  require(std::count(at, first.end(), options.label) == 1, "label", "two columns are named '",
          options.label, "'; say the number of one");
  return static_cast<std::size_t>(at - first.begin());
}

// Where each name stands, in a row of names.
using Places = std::map<std::string_view, std::vector<std::size_t>>;

Places places_of(const Cells& first) {
  Places places;
  for (std::size_t c = 0; c < first.size(); ++c) places[first[c]].push_back(c);
  return places;
}

bool is_header(const Cells& first, const Places& places, const CsvOptions& options,
               std::optional<std::size_t> label) {
  if (options.header) return *options.header;
  const auto stands = [&](const std::string& name) { return places.contains(name); };
  if (!options.label.empty() && !by_number(options.label, first.size())) return true;
  if (!options.names.empty() && std::ranges::all_of(options.names, stands)) return true;
  for (std::size_t c = 0; c < first.size(); ++c)
    if (c != label && !missing(first[c]) && !any_number(first[c])) return true;
  return false;
}

// The one other column than `label` with this name.
std::size_t place_of(const std::string& name, const char* what, const Cells& first,
                     const Places& places, const CsvReader& reader, const CsvOptions& options,
                     std::optional<std::size_t> label) {
  std::vector<std::size_t> all;
  if (const auto at = places.find(name); at != places.end()) all = at->second;
  if (label) std::erase(all, *label);
  if (all.empty())
    fail(ErrorKind::kUsage, reader.name(), "has no column '", name, "', ", what,
         did_you_mean(name, first, options.names), " (its first row is ", listed(first),
         std::ranges::none_of(options.names, [&](const auto& n) { return places.contains(n); })
             ? "; if these are no names: --label NUMBER says where the label is, and columns go by "
               "position)"
             : ")");
  require(all.size() == 1, reader.name(), "has two columns '", name, "', ", what, "; rename one");
  return all[0];
}

// Names are what a model finds its columns by.
void check_names(const CsvColumns& columns, const Places& places, const CsvReader& reader) {
  for (std::size_t c = 0; c < columns.names.size(); ++c)
    reader.check(columns.names[c].size() <= kMaxLabelBytes, "the name of column ", c + 1, " has ",
                 columns.names[c].size(), " bytes, at most ", kMaxLabelBytes, " are possible");
  for (auto [name, all] : places) {
    if (columns.label) std::erase(all, *columns.label);
    reader.check(all.size() < 2, "columns ", all.empty() ? 0 : all.front() + 1, " and ",
                 all.empty() ? 0 : all.back() + 1, " are both named '", name, "'; rename one");
  }
}

}  // namespace

CsvColumns csv_columns(const std::vector<std::string>& first, const CsvReader& reader,
                       const CsvOptions& options, bool label_wanted) {
  reader.check(first.size() >= 2 || !label_wanted,
               "one column, wanted a feature and a label at least",
               first[0].find_first_of(";\t") == std::string::npos
                   ? ""
                   : "; columns are separated by commas here, not by semicolons or tabs");
  CsvColumns columns;
  const bool given = !options.label.empty();
  if (given)
    columns.label = given_label(first, options);
  else if (label_wanted)
    columns.label = first.size() - 1;
  const Places places = places_of(first);
  // The last cell of a row may be a class's name, whether a label is wanted or not.
  const bool maybe_label = !given && first.size() == options.names.size() + 1;
  columns.header = is_header(first, places, options,
                             maybe_label ? std::optional(first.size() - 1) : columns.label);
  const bool by_name = columns.header && !options.names.empty();
  if (by_name && !given) columns.label.reset();
  if (by_name && !given && label_wanted)
    columns.label =
        place_of(options.label_name, "the label of the model's training (--label names another)",
                 first, places, reader, options, std::nullopt);
  for (std::size_t c = 0; c < first.size(); ++c) {
    columns.names.push_back(columns.header ? first[c] : "column " + std::to_string(c + 1));
    if (!by_name && c != columns.label) columns.features.push_back(c);
  }
  if (columns.header && !by_name) check_names(columns, places, reader);
  if (!by_name) return columns;
  for (const std::string& name : options.names)
    columns.features.push_back(
        place_of(name, "which the model wants", first, places, reader, options, columns.label));
  return columns;
}

}  // namespace espalier::datasets
