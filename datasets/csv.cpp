#include "datasets/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/class_names.hpp"
#include "datasets/csv_reader.hpp"
#include "datasets/feature_rows.hpp"
#include "datasets/subset.hpp"

namespace espalier::datasets {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

// As text stands for it: infinite for "inf" and "1e400".
std::optional<double> any_number(const std::string& cell) {
  const bool plus = cell.starts_with('+');
  if (plus && cell.starts_with("+-")) return std::nullopt;
  double value = 0;
  const char* begin = cell.data() + (plus ? 1 : 0);
  const char* end = cell.data() + cell.size();
  const auto [stop, failure] = std::from_chars(begin, end, value);
  if (failure == std::errc::invalid_argument || stop != end) return std::nullopt;
  return failure == std::errc{} ? value : std::numeric_limits<double>::infinity();
}

// One to learn from.
std::optional<double> number(const std::string& cell) {
  const auto value = any_number(cell);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

bool missing(const std::string& cell) {
  static const std::vector<std::string> kNone = {"",    "?",   "NA",   "N/A",
                                                 "NaN", "nan", "null", "None"};
  return std::ranges::find(kNone, cell) != kNone.end();
}

// Which columns are what; decided by the options and the first row.
struct Columns {
  std::vector<std::string> names;  // of all
  std::optional<std::size_t> label;
  bool header = false;
  std::size_t features() const { return names.size() - (label ? 1 : 0); }
};

std::optional<std::size_t> by_number(const std::string& text, std::size_t count) {
  std::size_t column = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), column);
  if (failure != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  require(column >= 1 && column <= count, "label", "there is no column ", column,
          "; the file has 1 to ", count);
  return column - 1;
}

// Without labels every column is a feature.
Columns columns_of(const std::vector<std::string>& first, const CsvReader& reader,
                   const CsvOptions& options, bool labelled = true) {
  reader.check(first.size() >= 2 || !labelled, "one column, wanted a feature and a label at least",
               first[0].find_first_of(";\t") == std::string::npos
                   ? ""
                   : "; columns are separated by commas here, not by semicolons or tabs");
  Columns columns{.names = {}, .label = first.size() - 1};
  bool by_name = false;
  if (!labelled) {
    columns.label.reset();
  } else if (const auto column = by_number(options.label, first.size())) {
    columns.label = *column;
  } else if (!options.label.empty()) {
    const auto at = std::ranges::find(first, options.label);
    require(at != first.end() && options.header != false, "label", "there is no column '",
            options.label, "'; the first row is ", join(first, ", ").substr(0, 200));
    require(std::count(at, first.end(), options.label) == 1, "label", "two columns are named '",
            options.label, "'; say the number of one");
    columns.label = static_cast<std::size_t>(at - first.begin());
    by_name = true;
  }
  bool names = by_name;
  for (std::size_t c = 0; c < first.size(); ++c)
    names = names || (c != columns.label && !missing(first[c]) && !any_number(first[c]));
  columns.header = options.header.value_or(names);
  for (std::size_t c = 0; c < first.size(); ++c)
    columns.names.push_back(columns.header ? first[c] : "column " + std::to_string(c + 1));
  return columns;
}

struct Rows {
  std::vector<float> values;   // [N C]
  std::vector<float> targets;  // regression: [N], and no labels
  std::vector<int> labels;     // of `classes`, in the order of their first row
  std::vector<std::string> classes;
};

float feature(const std::string& cell, const std::string& column, const CsvReader& reader) {
  reader.check(!missing(cell), "column '", column, "' is missing ('", cell,
               "'); fill it or remove the row");
  const auto value = number(cell);
  reader.check(value.has_value() && std::abs(*value) <= double{std::numeric_limits<float>::max()},
               "column '", column, "' is '", cell.substr(0, 40), "', wanted a finite number");
  return static_cast<float>(*value);
}

void add_features(std::vector<float>& to, const std::vector<std::string>& cells,
                  const Columns& columns, const CsvReader& reader) {
  reader.check(cells.size() == columns.names.size(), cells.size(), " cells, the first row has ",
               columns.names.size());
  for (std::size_t c = 0; c < cells.size(); ++c)
    if (c != columns.label) to.push_back(feature(cells[c], columns.names[c], reader));
}

Rows read_rows(CsvReader& reader, std::vector<std::string> cells, const Columns& columns,
               const CsvOptions& options) {
  Rows rows;
  std::map<std::string, int> known;
  for (const std::string& name : options.classes)
    known.emplace(name, static_cast<int>(known.size()));
  rows.classes = options.classes;
  bool more = columns.header ? reader.next(cells) : true;
  for (; more; more = reader.next(cells)) {
    add_features(rows.values, cells, columns, reader);
    const std::string &label = cells[*columns.label], &column = columns.names[*columns.label];
    if (options.regression) {
      rows.targets.push_back(feature(label, column, reader));
      continue;
    }
    reader.check(!missing(label), "the label, column '", column, "', is missing ('", label, "')");
    reader.check(label.size() <= kMaxLabelBytes, "the label has ", label.size(), " bytes, at most ",
                 kMaxLabelBytes, " are possible");
    const auto [at, is_new] = known.emplace(label, static_cast<int>(known.size()));
    reader.check(!is_new || options.classes.empty(), "the class '", label.substr(0, 40),
                 "' is none that the model knows: ", join(options.classes, ", ").substr(0, 200));
    if (is_new) rows.classes.push_back(label);
    reader.check(known.size() <= kMaxClasses, "more than ", kMaxClasses, " classes");
    rows.labels.push_back(at->second);
  }
  return rows;
}

// Classes in their order, and the labels with them.
void sort_classes(Rows& rows) {
  const bool numbers =
      std::ranges::all_of(rows.classes, [](const auto& c) { return number(c).has_value(); });
  std::vector<int> order(rows.classes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](int c) {
    const std::string& name = rows.classes[static_cast<std::size_t>(c)];
    return std::pair(numbers ? *number(name) : 0.0, name);
  });
  std::vector<int> rank(order.size());
  std::vector<std::string> sorted;
  for (std::size_t k = 0; k < order.size(); ++k) {
    rank[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
    sorted.push_back(rows.classes[static_cast<std::size_t>(order[k])]);
  }
  rows.classes = sorted;
  for (int& label : rows.labels) label = rank[static_cast<std::size_t>(label)];
}

}  // namespace

CsvData decode_csv(std::span<const std::uint8_t> bytes, const std::string& name,
                   const CsvOptions& options) {
  CsvReader reader(bytes, name);
  std::vector<std::string> first;
  require(reader.next(first), ErrorKind::kCorrupt, name, "is empty");
  const Columns columns = columns_of(first, reader, options);
  require(options.columns.empty() || options.columns.size() == columns.features(), name, "holds ",
          columns.features(), " features, the model was trained on ", options.columns.size());
  Rows rows = read_rows(reader, first, columns, options);
  const std::string& label = columns.names[*columns.label];
  if (options.regression) {
    rows.classes.clear();
    rows.labels.assign(rows.targets.size(), 0);
    require(rows.targets.size() >= 2, ErrorKind::kCorrupt, name, "holds ", rows.targets.size(),
            " rows, wanted at least two");
  } else if (options.classes.empty()) {
    require(rows.classes.size() >= 2, ErrorKind::kCorrupt, name, "the label column '", label,
            "' holds ", rows.classes.size(), " classes, wanted at least two");
    require(rows.classes.size() <= rows.labels.size() / 2, ErrorKind::kCorrupt, name,
            "the label column '", label, "' holds ", rows.classes.size(), " different values in ",
            rows.labels.size(),
            " rows: those are no classes; is it the right column? (numbers to "
            "predict: --regression)");
    sort_classes(rows);
  }
  const int classes = options.regression ? 1 : static_cast<int>(rows.classes.size());
  auto split = stratified_split(rows.labels, classes, options.split);
  CsvData result{{}, rows.classes, columns.names, options.columns, options.target};
  result.features.erase(result.features.begin() + static_cast<std::ptrdiff_t>(*columns.label));
  if (result.columns.empty())
    result.columns = scalings_of(rows.values, columns.features(), split.train);
  if (options.regression) {
    if (!result.target) result.target = scalings_of(rows.targets, 1, split.train)[0];
    require(result.target->deviation > 0, ErrorKind::kCorrupt, name, "the column '", label,
            "' never varies: there is nothing to predict");
    for (float& v : rows.targets) v = (v - result.target->mean) / result.target->deviation;
  }
  const auto all = std::make_shared<FeatureRows>(std::move(rows.values), std::move(rows.labels),
                                                 classes, result.columns, std::move(rows.targets));
  result.data = {std::make_shared<Subset>(all, std::move(split.train)),
                 std::make_shared<Subset>(all, std::move(split.test))};
  return result;
}

CsvData load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  return decode_csv(read_file(path, kMaxFileBytes), path.string(), options);
}

CsvFeatures load_csv_features(const std::filesystem::path& path, std::size_t features,
                              const CsvOptions& options) {
  const Bytes bytes = read_file(path, kMaxFileBytes);
  const std::string name = path.string();
  CsvReader reader(bytes, name);
  std::vector<std::string> first;
  require(reader.next(first), ErrorKind::kCorrupt, name, "is empty");
  const bool labelled = first.size() == features + 1;
  require(labelled || first.size() == features, name, "holds ", first.size(),
          " columns; the model wants its ", features, " features, beside them at most the label");
  const Columns columns = columns_of(first, reader, options, labelled);
  CsvFeatures result;
  for (std::size_t c = 0; c < columns.names.size(); ++c)
    if (c != columns.label) result.names.push_back(columns.names[c]);
  for (bool more = columns.header ? reader.next(first) : true; more; more = reader.next(first)) {
    add_features(result.values, first, columns, reader);
  }
  return result;
}

}  // namespace espalier::datasets
