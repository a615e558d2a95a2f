// Tables of numbers with a class, or a number to predict, in each row, from CSV files.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "datasets/dataset.hpp"
#include "datasets/feature_rows.hpp"
#include "datasets/stratified_split.hpp"

namespace espalier::datasets {

struct CsvOptions {
  // The column of the classes: its number from 1, or its name in the header; empty: the last.
  std::string label = {};
  // That column holds numbers to predict (regression), not classes.
  bool regression = false;
  // Whether the first row holds names. None: it does if `label` is one of them, or a feature's cell
  // is no number.
  std::optional<bool> header = {};
  SplitOptions split = {};
  // What a model learned from other rows goes by: its columns' scalings, its target's, its classes
  // in their order, of which the file may hold a few. Empty: found in the training rows.
  std::vector<Scaling> columns = {};
  std::optional<Scaling> target = {};
  std::vector<std::string> classes = {};
  // What it calls its columns, and its label: a file with a header is read by these names, in any
  // order, and whatever else it holds is left out. Empty: by position.
  std::vector<std::string> names = {};
  std::string label_name = {};
  // Of a file: up to so many bytes it is read whole. Of a larger one every row is checked at once, and
  // parsed anew when it is asked for (file_rows.hpp); 20 bytes a row are kept. The numbers are the same.
  // 512 MB, as of pictures: with its numbers such a file takes up to twice that.
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;
  // Hears the bytes of rows that were checked, now and then, from 0 on.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

struct CsvData {
  TrainTest data;                     // images of [1 1 C], a channel a feature
  std::vector<std::string> labels;    // the classes: ascending as numbers if all are, else by bytes
  std::vector<std::string> features;  // the columns' names; "column 3" without a header
  bool header = false;
  std::string label_name;        // empty without a header
  std::vector<Scaling> columns;  // [C], over the training rows
  // Regression: an example's target is (value - mean) / deviation.
  std::optional<Scaling> target = {};
};

// Features become 0..1, as pixels are, which is what the integer grid of a quantized network's input
// spans: x = 0.5 + (value - mean) / (8 deviation), clamped, so that 4 deviations to either side fit;
// a feature that never varies becomes 0.5. Errors, naming file, line and column: kIo; kUsage for a
// label column that does not exist, one of `names` that does not, or stands there twice, and another
// number of features than `columns`; kCorrupt for a
// damaged file (csv_reader.hpp), rows of unequal length, a feature that is missing or no finite
// number, a missing label, a class that is none of `classes`; without these fewer than two classes,
// or so many that the column holds no classes (more than half as many as rows); for a number to
// predict that is none, or that never varies.
CsvData load_csv(const std::filesystem::path& path, const CsvOptions& options = {});

// The same of bytes already read; `name` stands in the errors.
CsvData decode_csv(std::span<const std::uint8_t> bytes, const std::string& name,
                   const CsvOptions& options = {});

struct CsvFeatures {
  std::vector<std::string> names;
  std::vector<float> values;  // [N names], as they stand in the file
  // Taken for the label as it is the last, one more than wanted, and nothing told: "column 5".
  std::optional<std::string> assumed_label;
  bool header = false;
};
// The features alone: of a file with a header by options.names, else of one with so many columns, or
// with one more, the label's (options.label; else the last, of options.classes if there are any),
// which is left out. Errors: as load_csv.
CsvFeatures load_csv_features(const std::filesystem::path& path, std::size_t features,
                              const CsvOptions& options = {});
CsvFeatures decode_csv_features(std::span<const std::uint8_t> bytes, const std::string& name,
                                std::size_t features, const CsvOptions& options = {});

}  // namespace espalier::datasets
