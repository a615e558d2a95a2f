// espalier-records: trains a compression record from nothing, seed by seed, and prints its row.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/common/program.hpp"
#include "apps/records/rows.hpp"
#include "apps/smallest/teacher.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/median.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/mnist.hpp"
#include "optim/training/evaluate.hpp"

using namespace espalier;
using apps::Row;
namespace fs = std::filesystem;
namespace {

struct Settings {
  std::string row = "M1";
  std::optional<fs::path> data;
  fs::path out = "records";
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5};
  bool validation_only = false, all_images = false;
};

constexpr std::int64_t kValidation = 5000;

struct SeedResult {
  std::uint64_t seed = 1;
  std::int64_t bytes = 0;                       // of the .esp file
  double validation_error = 0, test_error = 0;  // fractions; test_error < 0: not looked at
  std::int64_t nonzeros = 0;                    // weights
  std::int64_t trained_bytes = 0;               // before descent
  double trained_validation_error = 0;
  double minutes = 0;
};

fs::path path_of(const Settings& s, std::uint64_t seed, const char* extension) {
  return s.out / (s.row + "-seed" + std::to_string(seed) + extension);
}

std::string settings_of(const Settings& s, const Row& row) {
  return apps::describe(row.recipe) + (s.all_images ? ", all images" : "");
}

nlohmann::json to_json(const Settings& s, const SeedResult& r, const Row& row) {
  return {{"row", row.name},
          {"settings", settings_of(s, row)},
          {"seed", r.seed},
          {"bytes", r.bytes},
          {"validation_error", r.validation_error},
          {"test_error", r.test_error},
          {"nonzeros", r.nonzeros},
          {"trained_bytes", r.trained_bytes},
          {"trained_validation_error", r.trained_validation_error},
          {"minutes", r.minutes}};
}

SeedResult from_json(const Settings& s, const nlohmann::json& j, const Row& row,
                     const fs::path& path) {
  const std::string settings = j.at("settings"), wanted = settings_of(s, row);
  require(settings == wanted, "records", path.string(), " was trained with ", settings, ", not ",
          wanted, "; choose another --out");
  return {.seed = j.at("seed"),
          .bytes = j.at("bytes"),
          .validation_error = j.at("validation_error"),
          .test_error = j.at("test_error"),
          .nonzeros = j.at("nonzeros"),
          .trained_bytes = j.at("trained_bytes"),
          .trained_validation_error = j.at("trained_validation_error"),
          .minutes = j.at("minutes")};
}

// Training's result stands in its own file, so that another descent starts from it; what it was
// trained with stands beside it.
void check_trained(const Settings& s, const Row& row, std::uint64_t seed) {
  const fs::path settings = path_of(s, seed, "-trained.txt"),
                 esp = path_of(s, seed, "-trained.esp");
  const std::string wanted =
      apps::describe_training(row.recipe) + (s.all_images ? ", all images" : "");
  if (fs::exists(esp) && fs::exists(settings)) {
    const Bytes text = read_file(settings);
    const std::string was(text.begin(), text.end());
    require(was == wanted + "\n", "records", esp.string(), " was trained with ", was, ", not ",
            wanted, "; choose another --out");
  } else {
    fs::remove(esp);
    write_file(settings, wanted + "\n");
  }
}

// A finished seed has both its files; the JSON is written last. Test images that were left alone
// are looked at now, if asked.
SeedResult run_seed(const Settings& s, const Row& row, std::uint64_t seed,
                    const apps::Images& images, training::Distillation* teacher,
                    const datasets::Dataset& test) {
  const fs::path json = path_of(s, seed, ".json"), esp = path_of(s, seed, ".esp");
  SeedResult result;
  if (fs::exists(json) && fs::exists(esp)) {
    const Bytes text = read_file(json);
    try {
      result = from_json(s, nlohmann::json::parse(text.begin(), text.end()), row, json);
    } catch (const nlohmann::json::exception&) {
      fail(ErrorKind::kCorrupt, json.string(), "is no result of this program; remove it");
    }
    if (s.validation_only || result.test_error >= 0) return result;
  } else {
    check_trained(s, row, seed);
    const auto trained = apps::train_smallest(
        row.recipe, images, teacher,
        {.seed = seed, .label = row.name, .trained_file = path_of(s, seed, "-trained.esp")});
    write_file(esp, trained.file);
    result = {.seed = seed,
              .bytes = std::ssize(trained.file),
              .validation_error = trained.validation_error,
              .test_error = -1,
              .nonzeros = trained.nonzeros,
              .trained_bytes = trained.trained_bytes,
              .trained_validation_error = trained.trained_validation_error,
              .minutes = trained.training_minutes + trained.descent_minutes};
  }
  if (!s.validation_only) result.test_error = apps::error_of(read_file(esp), test);
  write_file(json, to_json(s, result, row).dump(1) + "\n");
  return result;
}

double error_of(const training::Distillation::Teacher& teacher, const datasets::Dataset& images) {
  const NoGradient guard;
  std::int64_t right = 0;
  datasets::for_each_batch(images, images.size(), 100, [&](const datasets::Batch& batch) {
    right += training::count_correct(teacher(batch.images), batch.labels);
  });
  return 1 - static_cast<double>(right) / static_cast<double>(images.size());
}

std::string shown(double error) {
  return error < 0 ? "not looked at" : percent(error);
}

void print(const SeedResult& r) {
  std::printf(
      "  seed %llu  %lld B  validation error %s  test error %s  %lld nonzeros  (before descent "
      "%lld B, %s)  %.1f min\n",
      static_cast<unsigned long long>(r.seed), static_cast<long long>(r.bytes),
      shown(r.validation_error).c_str(), shown(r.test_error).c_str(),
      static_cast<long long>(r.nonzeros), static_cast<long long>(r.trained_bytes),
      shown(r.trained_validation_error).c_str(), r.minutes);
  std::fflush(stdout);
}

void run(const Settings& s, const Row& row) {
  const auto data = datasets::load_mnist(s.data);
  require(data.has_value(), ErrorKind::kIo, "records",
          "no MNIST was found: espalier fetch mnist, or --data DIR");
  require(!s.seeds.empty(), "records", "wants at least one seed");
  fs::create_directories(s.out);
  std::printf("%s, part of %s: %s\n", row.name.c_str(), row.architecture.c_str(),
              settings_of(s, row).c_str());
  apps::Images images = apps::split(data->train, kValidation);
  if (s.all_images) images.train = data->train;
  std::vector<Sequential> knows;
  std::optional<training::Distillation> teacher;
  if (row.recipe.teacher.weight > 0) {
    knows = apps::teachers(apps::network_kind("lenet5"),
                           s.out / (s.all_images ? "teacher-all" : "teacher"), images.train,
                           row.recipe.teachers);
    const auto answer = [&](const Tensor& x) { return apps::mean_logits(knows, x); };
    teacher.emplace(answer, row.recipe.teacher);
    std::printf("  teachers: %d, validation error %s\n", row.recipe.teachers,
                percent(error_of(answer, *images.validation)).c_str());
    std::fflush(stdout);
  }
  std::vector<SeedResult> results;
  for (const std::uint64_t seed : s.seeds) {
    results.push_back(run_seed(s, row, seed, images, teacher ? &*teacher : nullptr, *data->test));
    print(results.back());
  }
  std::vector<std::int64_t> bytes;
  std::vector<double> errors, validation;
  for (const auto& r : results) {
    bytes.push_back(r.bytes);
    errors.push_back(r.test_error);
    validation.push_back(r.validation_error);
  }
  const double middle = median(validation);
  const auto kept =
      std::ranges::find_if(results, [&](const auto& r) { return r.validation_error == middle; });
  std::string name = row.name + ".esp";
  name[0] = static_cast<char>(std::tolower(name[0]));
  write_file(s.out / name, read_file(path_of(s, kept->seed, ".esp")));
  std::printf(
      "%s: %zu seeds, median %lld B (worst %lld), test error %s (worst %s); wanted %lld B at %s\n"
      "  %s is seed %llu, of the median validation error\n",
      row.name.c_str(), results.size(), static_cast<long long>(median(bytes)),
      static_cast<long long>(std::ranges::max(bytes)), shown(median(errors)).c_str(),
      shown(std::ranges::max(errors)).c_str(), static_cast<long long>(row.must_bytes),
      percent(row.most_error).c_str(), (s.out / name).c_str(),
      static_cast<unsigned long long>(kept->seed));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a row of the compression records from nothing, seed by seed");
  app.name("espalier-records");
  app.footer(
      "Example: espalier-records --row M1 --data mnist --out records\n"
      "A finished seed is kept in --out and not trained again.\n"
      "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 6 training diverged, "
      "130 interrupted.");
  Settings s;
  std::optional<float> lambda, rate, first, middle, last, bias_step, step_rate, floor_bits, teacher,
      temperature, descent_lambda, descent_teacher, shift_share;
  std::optional<int> epochs, max_level;
  std::optional<std::int64_t> batch, shift, descent_images;
  std::optional<int> descent_rounds, growing_rounds, teachers;
  std::vector<std::int64_t> widths;
  app.add_option("--row", s.row, "M1 to M5, or L")->capture_default_str();
  app.add_option("--data", s.data,
                 "Folder with MNIST's IDX files (default: $MNIST_DIR, then "
                 "~/.cache/espalier/mnist)");
  app.add_option("--out", s.out, "Folder for files and results")->capture_default_str();
  app.add_option("--seeds", s.seeds, "Seeds, in their order")->delimiter(',');
  app.add_flag("--validation-only", s.validation_only, "Leave the test images alone");
  app.add_flag(
      "--all-images", s.all_images,
      "Train on all training images, those for validation too, whose error then says little");
  auto* search = app.add_option_group("search", "In place of the row's own values");
  search->add_option("--lambda", lambda, "Cost of a bit");
  search->add_option("--epochs", epochs);
  search->add_option("--batch", batch);
  search->add_option("--shift", shift, "Augmentation, pixels");
  search->add_option("--shift-share", shift_share, "Of the images that move");
  search->add_option("--rate", rate, "Learning rate, levels a step");
  search->add_option("--first-step", first);
  search->add_option("--middle-step", middle);
  search->add_option("--last-step", last);
  search->add_option("--bias-step", bias_step);
  search->add_option("--step-rate", step_rate);
  search->add_option("--floor-bits", floor_bits);
  search->add_option("--max-level", max_level);
  search->add_option("--teacher", teacher, "The teacher's part of the loss, 0 to 1");
  search->add_option("--teachers", teachers, "How many answer together")->check(CLI::Range(1, 20));
  search->add_option("--temperature", temperature, "Of the teacher's answers");
  search->add_option("--widths", widths)->delimiter(',');
  search->add_option("--descent-images", descent_images, "For descent on levels; 0: none");
  search->add_option("--descent-rounds", descent_rounds);
  search->add_option("--descent-lambda", descent_lambda, "Where it is another than training's");
  search->add_option("--descent-teacher", descent_teacher, "The teacher's part in descent");
  search->add_option("--growing-rounds", growing_rounds, "Of these, in which zeros may move");
  return apps::run_program(app, argc, argv, [&] {
    install_interrupt_handler();
    set_threads(1);
    Row row = apps::row_named(s.row);
    apps::Recipe& recipe = row.recipe;
    const auto replace = [](auto& value, const auto& by) {
      if (by) value = *by;
    };
    replace(recipe.rate.lambda, lambda);
    replace(recipe.rate.learning_rate, rate);
    replace(recipe.rate.first_step, first);
    replace(recipe.rate.middle_step, middle);
    replace(recipe.rate.last_step, last);
    replace(recipe.rate.bias_step, bias_step);
    replace(recipe.rate.step_learning_rate, step_rate);
    replace(recipe.rate.slope_floor_bits, floor_bits);
    replace(recipe.rate.max_level, max_level);
    replace(recipe.shift_pixels, shift);
    replace(recipe.shift_share, shift_share);
    replace(recipe.epochs, epochs);
    replace(recipe.teacher.weight, teacher);
    replace(recipe.teachers, teachers);
    replace(recipe.teacher.temperature, temperature);
    replace(recipe.batch_size, batch);
    replace(recipe.descent_images, descent_images);
    replace(recipe.descent_rounds, descent_rounds);
    if (descent_lambda) recipe.descent_lambda = descent_lambda;
    if (descent_teacher) recipe.descent_teacher = descent_teacher;
    replace(recipe.descent_growing_rounds, growing_rounds);
    if (!widths.empty()) recipe.widths = widths;
    run(s, row);
  });
}
