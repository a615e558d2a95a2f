#include "datasets/csv.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/open_file.hpp"
#include "core/base/text.hpp"
#include "datasets/class_names.hpp"
#include "datasets/csv_cell.hpp"
#include "datasets/csv_columns.hpp"
#include "datasets/csv_reader.hpp"
#include "datasets/feature_rows.hpp"
#include "datasets/file_rows.hpp"
#include "datasets/subset.hpp"

namespace espalier::datasets {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxStreamedBytes = std::uint64_t{1} << 40;

struct Rows {
  std::vector<float> values;           // [N C]; of rows that stay in a file those of the last
  std::vector<std::uint64_t> offsets;  // and where each begins
  std::vector<float> targets;          // regression: [N], and no labels
  std::vector<int> labels;             // of `classes`, in the order of their first row
  std::vector<std::string> classes;
};

float feature(const std::string& cell, const std::string& column, const CsvReader& reader) {
  reader.check(!missing(cell), "column '", column, "' is missing ('", cell,
               "'); fill it or remove the row");
  const auto value = number(cell);
  reader.check(
      value.has_value() && std::abs(*value) <= double{std::numeric_limits<float>::max()},
      "column '", column, "' is '", cell.substr(0, 40), "', wanted a finite number",
      value ? "" : "; of words make a column of 0 and 1 for each, or leave the column out");
  return static_cast<float>(*value);
}

void add_features(std::vector<float>& to, const std::vector<std::string>& cells,
                  const CsvColumns& columns, const CsvReader& reader) {
  reader.check(cells.size() == columns.names.size(), cells.size(), " cells, the first row has ",
               columns.names.size());
  for (const std::size_t c : columns.features)
    to.push_back(feature(cells[c], columns.names[c], reader));
}

// in_file: the rows stay there.
Rows read_rows(CsvReader& reader, std::vector<std::string> cells, const CsvColumns& columns,
               const CsvOptions& options, bool in_file) {
  Rows rows;
  std::map<std::string, int> known;
  for (const std::string& name : options.classes)
    known.emplace(name, static_cast<int>(known.size()));
  rows.classes = options.classes;
  constexpr std::int64_t kRows = 1024;  // between two words of how far it is
  std::int64_t row = 0;
  bool more = columns.header ? reader.next(cells) : true;
  for (; more; more = reader.next(cells), ++row) {
    check_interrupt(reader.name());
    if (options.progress && row % kRows == 0)
      options.progress(row == 0 ? 0 : static_cast<std::int64_t>(reader.offset()),
                       static_cast<std::int64_t>(reader.size_bytes()));
    if (in_file) rows.values.clear(), rows.offsets.push_back(reader.offset());
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
                 "' is none that the model knows: ", join(options.classes, ", ").substr(0, 200),
                 " (--label says which column is the label)");
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

namespace {

// `file`: where the rows stay; null: they are kept in memory.
CsvData read_csv(CsvReader& reader, const CsvOptions& options,
                 const std::shared_ptr<const OpenFile>& file) {
  const std::string& name = reader.name();
  std::vector<std::string> first;
  require(reader.next(first), ErrorKind::kCorrupt, name, "is empty");
  const CsvColumns columns = csv_columns(first, reader, options);
  const std::size_t features = columns.features.size();
  require(options.columns.empty() || options.columns.size() == features, name, "holds ", features,
          " features, the model was trained on ", options.columns.size());
  Rows rows = read_rows(reader, first, columns, options, file != nullptr);
  require(!rows.values.empty(), ErrorKind::kCorrupt, name, "holds a header, and no rows");
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
  CsvData result{.data = {},
                 .labels = rows.classes,
                 .features = {},
                 .header = columns.header,
                 .label_name = columns.header ? label : "",
                 .columns = options.columns,
                 .target = options.target};
  for (const std::size_t c : columns.features) result.features.push_back(columns.names[c]);
  std::vector<std::int64_t> in_order = split.train;  // in which a file is quick to read
  std::ranges::sort(in_order);
  if (options.regression) {
    if (!result.target) result.target = scalings_of(rows.targets, 1, in_order)[0];
    require(result.target->deviation > 0, ErrorKind::kCorrupt, name, "the column '", label,
            "' never varies: there is nothing to predict");
    for (float& v : rows.targets) v = (v - result.target->mean) / result.target->deviation;
  }
  std::shared_ptr<const Dataset> all;
  if (file) {
    rows.offsets.push_back(file->size_bytes());
    const auto in_file =
        std::make_shared<FileRows>(FileRows::Options{.file = file,
                                                     .offsets = std::move(rows.offsets),
                                                     .cells = columns.names.size(),
                                                     .features = columns.features,
                                                     .labels = std::move(rows.labels),
                                                     .classes = classes,
                                                     .targets = std::move(rows.targets)});
    if (result.columns.empty())
      result.columns = scalings_of(
          features, in_order, [&](std::int64_t i, std::span<float> to) { in_file->read(i, to); });
    in_file->set_scalings(result.columns);
    all = in_file;
  } else {
    if (result.columns.empty()) result.columns = scalings_of(rows.values, features, in_order);
    all = std::make_shared<FeatureRows>(std::move(rows.values), std::move(rows.labels), classes,
                                        result.columns, std::move(rows.targets));
  }
  result.data = {std::make_shared<Subset>(all, std::move(split.train)),
                 std::make_shared<Subset>(all, std::move(split.test))};
  return result;
}

}  // namespace

CsvData decode_csv(std::span<const std::uint8_t> bytes, const std::string& name,
                   const CsvOptions& options) {
  CsvReader reader(bytes, name);
  return read_csv(reader, options, nullptr);
}

CsvData load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  std::error_code unknown;  // then reading says what is wrong
  const std::uint64_t size_bytes = std::filesystem::file_size(path, unknown);
  if (!unknown && size_bytes > options.memory_bytes) {
    const auto file = std::make_shared<const OpenFile>(path);
    require(file->size_bytes() <= kMaxStreamedBytes, ErrorKind::kCorrupt, file->name(), "has ",
            file->size_bytes(), " bytes, at most ", kMaxStreamedBytes, " are possible");
    CsvReader reader(*file);
    return read_csv(reader, options, file);
  }
  return decode_csv(read_file(path, kMaxFileBytes), path.string(), options);
}

CsvFeatures load_csv_features(const std::filesystem::path& path, std::size_t features,
                              const CsvOptions& options) {
  const Bytes bytes = read_file(path, kMaxFileBytes);
  return decode_csv_features(bytes, path.string(), features, options);
}

CsvFeatures decode_csv_features(std::span<const std::uint8_t> bytes, const std::string& name,
                                std::size_t features, const CsvOptions& options) {
  CsvReader reader(bytes, name);
  std::vector<std::string> cells;
  require(reader.next(cells), ErrorKind::kCorrupt, name, "is empty");
  CsvColumns columns = csv_columns(cells, reader, options, false);
  const bool by_name = columns.header && !options.names.empty();
  const bool assumed = !by_name && !columns.label && columns.features.size() == features + 1;
  if (assumed) columns = csv_columns(cells, reader, options, true);
  require(columns.features.size() == features, name, "holds ", cells.size(),
          " columns; the model wants its ", features, " features, beside them at most the label");
  CsvFeatures result{.names = {}, .values = {}, .assumed_label = {}, .header = columns.header};
  if (assumed) result.assumed_label = columns.names[*columns.label];
  for (const std::size_t c : columns.features) result.names.push_back(columns.names[c]);
  for (bool more = columns.header ? reader.next(cells) : true; more; more = reader.next(cells)) {
    add_features(result.values, cells, columns, reader);
    if (!assumed || options.classes.empty()) continue;
    const std::string& label = cells[*columns.label];
    reader.check(missing(label) || std::ranges::count(options.classes, label), "'",
                 columns.names[*columns.label], "' would be the label, but '", label.substr(0, 40),
                 "' is no class of the model: ", join(options.classes, ", ").substr(0, 200),
                 "; --label NUMBER says which column is the label");
  }
  require(!result.values.empty(), ErrorKind::kCorrupt, name, "holds a header, and no rows");
  return result;
}

}  // namespace espalier::datasets
