#include "apps/espalier/data_report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "core/base/progress.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

using datasets::DataKind;

constexpr std::size_t kShown = 10;  // skipped files and sizes; --json has all

std::string size_text(const datasets::ImageSize& size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width);
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", v);
  return text;
}

// The class's name, as the data or the .esp file has it.
std::string label_of(const DataReport& r, std::size_t c) {
  return c < r.loaded.labels.size() ? r.loaded.labels[c] : std::to_string(c);
}

// Rows of channels or features: as the data has them.
Column names_of_values(const DataReport& r) {
  Column names{.header = r.loaded.kind == DataKind::kCsv ? "feature" : "channel", .left = true};
  const std::size_t channels = r.train.mean.size();
  for (std::size_t c = 0; c < channels; ++c)
    names.cells.push_back(c < r.loaded.features.size() ? printable(r.loaded.features[c])
                          : channels == 1              ? "grey"
                                                       : std::string(c == 0   ? "red"
                                                                     : c == 1 ? "green"
                                                                              : "blue"));
  return names;
}

// Of CSV features as they stand in the file; of pictures in 0..1.
double mean_of(const DataReport& r, std::size_t c) {
  return c < r.loaded.columns.size() ? double{r.loaded.columns[c].mean} : r.train.mean[c];
}
double deviation_of(const DataReport& r, std::size_t c) {
  return c < r.loaded.columns.size() ? double{r.loaded.columns[c].deviation} : r.train.deviation[c];
}

void print_sizes(std::ostream& out, const DataReport& r) {
  const auto& sizes = r.loaded.sizes;
  if (sizes.size() < 2) return;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(sizes.size(), kShown); ++i)
    parts.push_back(size_text(sizes[i].size) + " (" + with_commas(sizes[i].count) + ")");
  out << "The files have " << sizes.size() << " sizes: " << join(parts, ", ")
      << (sizes.size() > kShown ? ", ..." : "") << "; training wants --size\n";
}

void print_skipped(std::ostream& out, const DataReport& r) {
  const auto& skipped = r.loaded.skipped;
  if (skipped.empty()) return;
  out << skipped.size() << (skipped.size() == 1 ? " file was" : " files were")
      << " skipped, unreadable as a picture:\n";
  for (std::size_t i = 0; i < std::min(skipped.size(), kShown); ++i)
    out << "  " << printable(skipped[i].file.string()) << ": " << printable(skipped[i].reason)
        << '\n';
  if (skipped.size() > kShown) out << "  ... (--json has all)\n";
}

}  // namespace

DataReport report_of(const std::filesystem::path& path, const datasets::LoadedData& loaded,
                     bool quiet) {
  DataReport report{path.string(), loaded, {}, {}};
  const std::int64_t train = loaded.data.train->size(), test = loaded.data.test->size();
  Progress progress("counting", train + test, "examples", quiet);
  report.train = datasets::statistics_of(*loaded.data.train,
                                         [&](std::int64_t done) { progress.update(done); });
  report.test = datasets::statistics_of(*loaded.data.test,
                                        [&](std::int64_t done) { progress.update(train + done); });
  progress.finish();
  return report;
}

void print(std::ostream& out, const DataReport& r) {
  const auto& [train, test] = r.loaded.data;
  const Shape s = train->image_shape();
  out << printable(r.path) << ": " << datasets::name_of(r.loaded.kind) << ", ";
  if (r.loaded.kind == DataKind::kCsv)
    out << s[2] << " features, ";
  else
    out << s[0] << " x " << s[1] << (s[2] == 1 ? " grey, " : " RGB, ");
  if (r.loaded.target)
    out << "numbers to predict (mean " << number(double{r.loaded.target->mean}) << ", deviation "
        << number(double{r.loaded.target->deviation}) << "), ";
  else
    out << train->classes() << " classes, ";
  out << with_commas(train->size()) << " training and " << with_commas(test->size())
      << " test examples"
      << (!r.loaded.split   ? ""
          : r.loaded.target ? " (a random split)"
                            : " (a stratified split)")
      << '\n';
  Column label{.header = "class", .left = true}, for_train{"training"}, for_test{"test"};
  for (std::size_t c = 0; c < r.train.counts.size(); ++c) {
    label.cells.push_back(printable(label_of(r, c)));
    for_train.cells.push_back(with_commas(r.train.counts[c]));
    for_test.cells.push_back(with_commas(r.test.counts[c]));
  }
  const std::size_t width = terminal_width(STDOUT_FILENO);
  if (!r.loaded.target) out << table({label, for_train, for_test}, width);
  Column mean{"mean"}, deviation{"deviation"};
  for (std::size_t c = 0; c < r.train.mean.size(); ++c) {
    mean.cells.push_back(number(mean_of(r, c)));
    deviation.cells.push_back(number(deviation_of(r, c)));
  }
  out << table({names_of_values(r), mean, deviation}, width);
  print_sizes(out, r);
  print_skipped(out, r);
}

nlohmann::json to_json(const DataReport& r) {
  using nlohmann::json;
  const auto& data = r.loaded.data;
  const Shape s = data.train->image_shape();
  json all{{"path", r.path},
           {"kind", datasets::name_of(r.loaded.kind)},
           {"shape", {s[0], s[1], s[2]}},
           {"train", data.train->size()},
           {"test", data.test->size()},
           {"split", r.loaded.split},
           {"classes", json::array()},
           {"features", r.loaded.features},
           {"mean", json::array()},
           {"deviation", json::array()},
           {"sizes", json::array()},
           {"skipped", json::array()}};
  if (r.loaded.target)
    all["target"] = {{"mean", r.loaded.target->mean}, {"deviation", r.loaded.target->deviation}};
  for (std::size_t c = 0; c < r.train.counts.size() && !r.loaded.target; ++c)
    all["classes"].push_back(
        {{"label", label_of(r, c)}, {"train", r.train.counts[c]}, {"test", r.test.counts[c]}});
  for (std::size_t c = 0; c < r.train.mean.size(); ++c) {
    all["mean"].push_back(mean_of(r, c));
    all["deviation"].push_back(deviation_of(r, c));
  }
  for (const auto& [size, count] : r.loaded.sizes)
    all["sizes"].push_back({{"height", size.height}, {"width", size.width}, {"count", count}});
  for (const auto& file : r.loaded.skipped)
    all["skipped"].push_back({{"file", file.file.string()}, {"reason", file.reason}});
  return all;
}

}  // namespace espalier::apps
