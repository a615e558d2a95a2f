// espalier run MODEL.esp IMAGE...: what is on the picture, or on each of a folder?
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/common/data_options.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/draw.hpp"
#include "apps/espalier/files_below.hpp"
#include "apps/espalier/prepare_image.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "datasets/csv.hpp"
#include "datasets/load.hpp"

namespace espalier::apps {
namespace {

struct RunOptions {
  std::filesystem::path model;
  std::vector<std::string> images;
  std::string label;  // of a CSV file: the column to leave out
  bool invert = false;
  bool json = false;
  bool quiet = false;
};

float value_of(const format::PackedModel& model, float output) {
  return model.target->mean + model.target->deviation * output;
}

struct Guess {
  std::size_t index;
  std::string label;
  double probability;
};

// The most probable classes first, at most three.
std::vector<Guess> top_three(std::span<const float> logits, const format::PackedModel& model) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float v : logits) sum += std::exp(v - largest);
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return logits[a] > logits[b]; });
  order.resize(std::min<std::size_t>(3, order.size()));
  std::vector<Guess> guesses;
  for (const std::size_t i : order)
    guesses.push_back({i, i < model.labels.size() ? model.labels[i] : std::to_string(i),
                       std::exp(logits[i] - largest) / sum});
  return guesses;
}

void print(const std::string& file, const PreparedImage& prepared,
           const std::vector<Guess>& guesses) {
  const bool utf8 = utf8_locale();
  std::size_t width = 0;
  for (const auto& guess : guesses) width = std::max(width, display_width(printable(guess.label)));
  std::cout << printable(file) << " (" << printable(prepared.changes) << ")\n";
  if (prepared.image.shape()[1] <= 64) std::cout << draw(prepared.image, utf8);
  for (const auto& guess : guesses) {
    std::cout << "  " << pad_right(printable(guess.label), width)
              << pad_left(percent(guess.probability), 11);
    const auto bar = std::lround(guess.probability * 40);
    for (long i = 0; i < bar; ++i) std::cout << (i ? "" : "  ") << (utf8 ? "\u2588" : "#");
    std::cout << "\n";
  }
}

nlohmann::json json_of(const std::vector<Guess>& guesses) {
  auto top = nlohmann::json::array();
  for (const auto& guess : guesses)
    top.push_back(
        {{"class", guess.index}, {"label", guess.label}, {"probability", guess.probability}});
  return top;
}

void print_json(const std::string& file, const std::vector<Guess>& guesses,
                const PreparedImage& prepared, std::span<const float> logits) {
  std::cout << nlohmann::json{{"image", file},
                              {"preparation", prepared.changes},
                              {"top", json_of(guesses)},
                              {"logits", std::vector<float>(logits.begin(), logits.end())}}
                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
            << "\n";
}

std::vector<float> finite_logits(runtime::Session& session, const Tensor& image,
                                 const RunOptions& options) {
  const auto logits = session.run(image);
  require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
          ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
  return {logits.begin(), logits.end()};
}

// Each row of a table, its columns scaled as in training.
void run_rows(const std::string& file, const runtime::Model& model, runtime::Session& session,
              const RunOptions& options) {
  const auto& packed = model.packed();
  const std::size_t columns = packed.columns.size();
  if (file != "-") {
    std::error_code none;
    require(!std::filesystem::is_directory(file, none), ErrorKind::kIo, file,
            "is a folder; the model takes rows of a table: wanted is a CSV file");
    datasets::require_text(file);
  }
  const auto table = datasets::load_csv_features(file == "-" ? "/dev/stdin" : file, columns,
                                                 {.label = options.label,
                                                  .classes = packed.labels,
                                                  .names = packed.column_names,
                                                  .label_name = packed.label_name});
  const bool found_out = !table.header && packed.column_names.empty() && !packed.labels.empty();
  if (table.assumed_label && !found_out) warn_of_positions(file, *table.assumed_label);
  Tensor row({1, 1, 1, static_cast<std::int64_t>(columns)});
  for (std::size_t i = 0; i < table.values.size() / columns; ++i) {
    for (std::size_t c = 0; c < columns; ++c)
      row.mutable_data()[c] = datasets::scaled(
          table.values[i * columns + c], {packed.columns[c].mean, packed.columns[c].deviation});
    const auto logits = finite_logits(session, row, options);
    if (options.json) {
      nlohmann::json line{{"file", file}, {"row", i + 1}, {"logits", logits}};
      if (packed.target)
        line["value"] = value_of(packed, logits[0]);
      else
        line["top"] = json_of(top_three(logits, packed));
      std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
      continue;
    }
    std::cout << "row " << i + 1 << "  ";
    if (packed.target) {
      std::cout << std::setprecision(7) << value_of(packed, logits[0]) << '\n';
      continue;
    }
    const Guess best = top_three(logits, packed)[0];
    std::cout << printable(best.label) << "  " << percent(best.probability) << '\n';
  }
}

std::vector<float> logits_of(const PreparedImage& prepared, runtime::Session& session,
                             const RunOptions& options) {
  const Shape& s = prepared.image.shape();
  return finite_logits(session, prepared.image.reshaped({1, s[0], s[1], s[2]}), options);
}

// A line for every picture of a folder and the folders in it. What is none is left out and counted,
// as a folder may hold notes, too.
void run_folder(const std::filesystem::path& folder, const format::PackedModel& model,
                runtime::Session& session, const RunOptions& options) {
  namespace fs = std::filesystem;
  const auto files = files_below(folder);
  require(!files.empty(), folder.string(), "holds no file; wanted are pictures");
  Progress progress("run", std::ssize(files), "pictures", options.quiet);
  std::int64_t skipped = 0, read = 0;
  std::string first;
  for (const fs::path& file : files) {
    const fs::path path = folder / file;
    PreparedImage prepared;
    try {
      // A pipe or device in the place of a picture would not end.
      std::error_code ignored;
      require(fs::is_regular_file(path, ignored), ErrorKind::kIo, path.string(), "is no file");
      prepared = prepare_image(path, model, options.invert);
    } catch (const Error& error) {
      if (skipped++ == 0) first = error.what();
      continue;
    }
    const auto logits = logits_of(prepared, session, options);
    const auto guesses = top_three(logits, model);
    if (options.json)
      print_json(path.string(), guesses, prepared, logits);
    else
      std::cout << printable(file.string()) << "  " << printable(guesses[0].label) << "  "
                << percent(guesses[0].probability) << '\n';
    progress.update(++read + skipped);
  }
  progress.finish();
  require(read > 0, ErrorKind::kCorrupt, folder.string(), "none of the ", files.size(),
          " files in it can be read as a picture; the first: ", first);
  if (skipped > 0)
    warn_on_standard_error(
        printable(folder.string()) + ": " + std::to_string(skipped) + " of " +
        std::to_string(files.size()) +
        " files are no pictures that can be read, and are left out; the first: " +
        printable(first));
}

void run(const RunOptions& options) {
  runtime::Session session(runtime::Model::load(options.model));
  const auto& model = session.model();
  for (const auto& file : options.images) {
    if (!model.packed().columns.empty()) {
      run_rows(file, model, session, options);
      continue;
    }
    std::error_code none;
    if (file != "-" && std::filesystem::is_directory(file, none)) {
      run_folder(file, model.packed(), session, options);
      continue;
    }
    const auto prepared = prepare_image(file, model.packed(), options.invert);
    const auto logits = logits_of(prepared, session, options);
    const auto guesses = top_three(logits, model.packed());
    if (options.json)
      print_json(file, guesses, prepared, logits);
    else
      print(file, prepared, guesses);
  }
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  auto* command =
      app.add_subcommand("run", "Say what is on a picture, or what the rows of a table are");
  command->add_option("model", options->model, "An .esp file")->required();
  command
      ->add_option("images", options->images,
                   "PNG, BMP or JPEG files, or folders of these (a line a picture); or CSV files "
                   "for a model of "
                   "rows; - reads standard input")
      ->required();
  command->add_flag("--invert", options->invert,
                    "Turn light and dark round, where they were taken the wrong way");
  command->add_option("--label", options->label,
                      "Column of a CSV file's classes, where it has one: left out (default: the "
                      "last of one column more than the model wants)");
  command->add_flag("--json", options->json, "Print one line of JSON an image or row");
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer(
      "A model of rows scales columns as in its training, and says each row's class or number.\n"
      "Models of 28 x 28 grey pixels without class names read digits: the picture may have any "
      "size, dark ink on\n"
      "light paper or the reverse; the digit is cut out, scaled to 20 x 20 and centred by its\n"
      "mass, as MNIST's were. Other models get the whole picture, resized.\n"
      "Examples: espalier run espalier-out/quantized.esp seven.png\n"
      "          espalier run --json model.esp a.png b.png | jq .top[0].label\n"
      "          espalier run model.esp flowers > answers.txt\n"
      "          espalier run table.esp new.csv");
  command->callback([options] { run(*options); });
}

}  // namespace espalier::apps
