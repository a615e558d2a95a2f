#include "apps/common/data_options.hpp"

#include <charconv>
#include <sstream>
#include <utility>

#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {
namespace {

constexpr const char* kSynthetic = "synthetic digits, not MNIST";

// "data/flowers/" is flowers.
std::string last_part(const std::filesystem::path& path) {
  const auto absolute = std::filesystem::absolute(path).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).filename().string();
}

std::string identity(DataOptions options, const TrainingData& data) {
  if (options.path && !datasets::is_built_in(*options.path))
    options.path = std::filesystem::absolute(*options.path).lexically_normal();
  std::ostringstream text;
  text << data.name << arguments_of(options) << "; " << data.data.train->size() << " and "
       << data.data.test->size() << " images of " << data.data.train->image_shape() << ", "
       << data.data.train->classes() << " classes";
  text.precision(9);  // tells every float from every other
  for (const datasets::Scaling& s : data.columns) text << "; " << s.mean << ' ' << s.deviation;
  if (data.target) text << "; target " << data.target->mean << ' ' << data.target->deviation;
  if (!data.column_names.empty())
    text << "; " << join(data.column_names, ", ") << " and " << data.label_name;
  return text.str();
}

}  // namespace

void add_reading_options(CLI::App& app, DataOptions& options) {
  app.add_option("--size", options.size,
                 "Resize pictures to HEIGHTxWIDTH, for example 32x32 (a triangle filter, each side "
                 "by its own factor)");
  app.add_flag("--grey", options.grey, "Make pictures grey (default: RGB from an image folder)");
  app.add_option("--label", options.label,
                 "Column of a CSV file's classes, by number from 1 or by name (default: the last)");
  app.add_flag("--regression", options.regression,
               "That column holds numbers to predict, not classes");
  app.add_option("--test-share", options.split.test_share,
                 "Of each class, kept for the test where the data has no test part")
      ->check(CLI::Range(0.001, 0.999))
      ->capture_default_str();
  app.add_option("--split-seed", options.split.seed, "Of that split")
      ->check(CLI::Range(0.0, 1e18))
      ->capture_default_str();
}

void add_data_options(CLI::App& app, DataOptions& options) {
  auto* data = app.add_option(
      "--data", options.path,
      "Folder of images (one folder a class, or train/ and test/), folder with MNIST's IDX files, "
      "CSV file, or shapes, which are built in (default: MNIST in $MNIST_DIR, then "
      "~/.cache/espalier/mnist, then one download, "
      "then the built-in synthetic digits)");
  app.add_flag("--synthetic", options.synthetic, "Use the built-in synthetic digits")
      ->excludes(data);
  add_reading_options(app, options);
}

std::optional<datasets::ImageSize> parse_size(const std::string& text) {
  if (text.empty()) return std::nullopt;
  datasets::ImageSize size;
  const char* end = text.data() + text.size();
  auto [at, failure] = std::from_chars(text.data(), end, size.height);
  bool good = failure == std::errc{};
  size.width = size.height;
  if (good && at != end) {
    good = *at == 'x';
    if (good) {
      const auto [stop, second] = std::from_chars(at + 1, end, size.width);
      good = second == std::errc{} && stop == end;
    }
  }
  require(good && size.height >= 1 && size.width >= 1 && size.height <= datasets::kMaxImageSide &&
              size.width <= datasets::kMaxImageSide,
          "--size", "wants HEIGHTxWIDTH, each 1 to ", datasets::kMaxImageSide, ", got '", text,
          "'");
  return size;
}

std::string arguments_of(const DataOptions& o) {
  const DataOptions defaults;
  std::ostringstream text;
  if (o.path) text << " --data " << shell_word(o.path->string());
  if (o.synthetic) text << " --synthetic";
  if (!o.size.empty()) text << " --size " << shell_word(o.size);
  if (o.grey) text << " --grey";
  if (!o.label.empty()) text << " --label " << shell_word(o.label);
  if (o.regression) text << " --regression";
  if (o.split.test_share != defaults.split.test_share)
    text << " --test-share " << o.split.test_share;
  if (o.split.seed != defaults.split.seed) text << " --split-seed " << o.split.seed;
  return text.str();
}

void warn_of_positions(const std::string& file, const std::string& label) {
  warn_on_standard_error(
      printable(file) + ": columns go by position, as file or model names none; '" +
      printable(label) + "', the last, is taken for the label (--label says another)");
}

datasets::LoadedData load_path(const DataOptions& options, bool first_size,
                               const ModelInput* model) {
  datasets::CsvOptions csv{.label = options.label, .regression = options.regression};
  if (model && !model->columns.empty()) {
    csv.columns = model->columns, csv.classes = model->labels;
    csv.names = model->column_names, csv.label_name = model->label_name;
  }
  if (model && model->target) csv.regression = true, csv.target = model->target;
  std::optional<Progress> progress;
  const char* unit = std::filesystem::is_directory(*options.path) ? "pictures" : "bytes";
  auto loaded = datasets::load_data(*options.path,
                                    {.size = parse_size(options.size),
                                     .grey = options.grey,
                                     .csv = csv,
                                     .split = options.split,
                                     .first_size = first_size,
                                     .progress = [&](std::int64_t done, std::int64_t total) {
                                       if (done == 0)
                                         progress.emplace("reading", total, unit, options.quiet);
                                       progress->update(done);
                                     }});
  if (progress) progress->finish();
  const bool by_name = loaded.header && !csv.names.empty();
  // Where neither has names, classes that the model knows tell whether the label is where it was.
  const bool found_out = !loaded.header && csv.names.empty() && !csv.classes.empty();
  if (!csv.columns.empty() && !by_name && options.label.empty() && !found_out)
    warn_of_positions(
        options.path->string(),
        loaded.header ? loaded.label_name : "column " + std::to_string(loaded.features.size() + 1));
  return loaded;
}

std::string left_out(std::size_t files) {
  return std::to_string(files) +
         (files == 1 ? " unreadable file was left out" : " unreadable files were left out");
}

void require_path_for_reading(const DataOptions& options) {
  require(options.path || (options.size.empty() && !options.grey && options.label.empty() &&
                           !options.regression),
          "--data", "is missing: --size, --grey, --label and --regression say how it is read");
}

TrainingData load_training_data(const DataOptions& options, const ModelInput* model) {
  TrainingData result;
  if (options.path) {
    auto loaded = load_path(options, false, model);
    if (!loaded.skipped.empty() && !options.quiet)
      warn_on_standard_error(options.path->string() + ": " + left_out(loaded.skipped.size()) +
                             "; espalier data info lists what cannot be read");
    const bool built_in = loaded.kind == datasets::DataKind::kBuiltIn;
    const std::string name = last_part(*options.path);
    result = {.data = loaded.data,
              .synthetic = built_in,
              .name = built_in ? "synthetic " + name : name,
              .labels = std::move(loaded.labels),
              .columns = std::move(loaded.columns),
              .target = loaded.target,
              .column_names = {},
              .label_name = std::move(loaded.label_name),
              .identity = {}};
    if (loaded.header) result.column_names = std::move(loaded.features);
  } else {
    require_path_for_reading(options);
    std::optional<datasets::MnistData> mnist;
    if (!options.synthetic) mnist = datasets::find_or_fetch_mnist();
    result.data = mnist ? *mnist : datasets::synthetic_digits();
    result.synthetic = !mnist;
    result.name = mnist ? "MNIST" : kSynthetic;
  }
  auto& train = result.data.train;
  if (options.images) {
    require(*options.images <= train->size(), "--images", "the data has ", train->size(),
            " training images, asked for ", *options.images);
    train = datasets::first(train, *options.images);
  }
  result.identity = identity(options, result);
  return result;
}

namespace {

// What is taken where nobody names data are digits: known before any are downloaded.
void require_digits(const ModelInput& model) {
  const auto [height, width, channels] = model.shape;
  const bool rows = !model.columns.empty() || (height == 1 && width == 1);
  const Shape digits{28, 28, 1}, wanted{height, width, channels};
  require(!rows, model.file, "takes rows of a table, and no data is named: give --data FILE.csv");
  require(wanted == digits, model.file, "takes images of ", wanted,
          ", and no data is named, for which MNIST's digits ", digits,
          " would do: give --data FOLDER");
}

}  // namespace

TrainingData load_data_for(const ModelInput& model, DataOptions options) {
  const auto [height, width, channels] = model.shape;
  require_path_for_reading(options);
  if (!options.path) require_digits(model);
  if (options.path && std::filesystem::is_directory(*options.path)) {
    require(model.columns.empty(), model.file, "takes rows of a table, ", *options.path,
            " is a folder: give --data FILE.csv");
    if (options.size.empty()) options.size = std::to_string(height) + "x" + std::to_string(width);
    options.grey = options.grey || channels == 1;
  }
  TrainingData data = load_training_data(options, &model);
  require(data.target.has_value() == model.target.has_value(), model.file,
          model.target ? "predicts numbers, the data has classes"
                       : "tells classes apart, the data has numbers to predict");
  require(model.labels.empty() || data.labels.empty() || model.labels == data.labels, model.file,
          "knows other classes than the data: ", join(model.labels, ", ").substr(0, 200),
          "; the data's are ", join(data.labels, ", ").substr(0, 200));
  const Shape wanted{height, width, channels}, got = data.data.test->image_shape();
  require(got == wanted, model.file, "wants images of ", wanted, ", the data's are ", got);
  return data;
}

}  // namespace espalier::apps
