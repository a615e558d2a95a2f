// The data that a program trains on or tests with, by the same options in each.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "datasets/load.hpp"

namespace espalier::apps {

struct DataOptions {
  std::optional<std::filesystem::path> path;  // none: MNIST where it is found
  bool synthetic = false;                     // the synthetic digits
  std::optional<std::int64_t> images;         // only the first of the training images
  std::string size;                           // "HEIGHTxWIDTH", or "SIDE"; empty: as they are
  bool grey = false;
  std::string label;        // the column of a CSV file's classes; empty: the last
  bool regression = false;  // which holds numbers to predict
  datasets::SplitOptions split;
  bool quiet = false;  // no progress on standard error
};

// --data and --synthetic; --size, --grey, --label and --regression; --test-share and --split-seed.
void add_data_options(CLI::App& app, DataOptions& options);
// Those of them that say how a path is read.
void add_reading_options(CLI::App& app, DataOptions& options);

// The options as the end of a command line, without those that are at their defaults, beginning with
// a space: " --data 'my flowers' --size 32x32"; "" for the defaults.
std::string arguments_of(const DataOptions& options);

// Errors: kUsage where options say how a path is read, and there is none.
void require_path_for_reading(const DataOptions& options);

struct TrainingData {
  datasets::TrainTest data;
  bool synthetic = false;
  std::string name;  // "MNIST", "synthetic digits, not MNIST", or the path's last part
  std::vector<std::string> labels;  // the classes' names; empty: "0", "1", ...
  // Of a CSV file: how its columns were scaled, and the numbers to predict, if it has any.
  std::vector<datasets::Scaling> columns;
  std::optional<datasets::Scaling> target;
  // What its header calls the columns and the label; empty without one.
  std::vector<std::string> column_names;
  std::string label_name;
  // Which data this is, for what is kept and may meet other data: where it lies, how it was read,
  // and what came of that.
  std::string identity;

  // What its examples are called.
  const char* examples() const { return columns.empty() ? "images" : "rows"; }
};

// What a model's file says of the images that it takes.
struct ModelInput {
  std::string file;                   // for errors
  std::array<std::int64_t, 3> shape;  // H W C
  std::vector<std::string> labels;    // of the classes; may be empty
  // How a table's columns and the numbers to predict were scaled in training.
  std::vector<datasets::Scaling> columns = {};
  std::optional<datasets::Scaling> target = {};
  // What they were called; empty where the table had no header.
  std::vector<std::string> column_names = {};
  std::string label_name = {};
};

// What `path` names (datasets/load.hpp), else MNIST as find_or_fetch_mnist finds it, else the
// synthetic digits. Errors: as load_data and find_or_fetch_mnist; kUsage, naming the option, for a
// size that is none, more --images than there are, and options of a path without one. `model`: see
// load_data_for.
TrainingData load_training_data(const DataOptions& options, const ModelInput* model = nullptr);

// As load_training_data, for such a model: pictures of a folder are resized, and made grey, as it
// wants them; a CSV file's columns are found by their names where both have any, else by position
// (which a warning says), and scaled as in its training, and its classes are the model's
// (a model that does not know the scaling takes that of the file's own training rows). Errors: also kUsage,
// naming the file, for images of another shape, other classes, and numbers in place of classes; where
// no data is named and the model does not take digits of 28 x 28, before any are looked for.
TrainingData load_data_for(const ModelInput& model, DataOptions options);

// What `options.path` names, with progress on standard error, a CSV file as `model` wants it. Errors:
// as load_data.
datasets::LoadedData load_path(const DataOptions& options, bool first_size = false,
                               const ModelInput* model = nullptr);

// "3 unreadable files were left out"
std::string left_out(std::size_t files);

// On standard error: what is taken for granted of a table that a trained model does not read by names.
void warn_of_positions(const std::string& file, const std::string& label);

// Errors: kUsage.
std::optional<datasets::ImageSize> parse_size(const std::string& text);

}  // namespace espalier::apps
