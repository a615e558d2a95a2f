// espalier compress: the smallest file of a network, searched for within a time.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/smallest/search.hpp"
#include "apps/smallest/teacher.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/evaluate.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

struct CompressOptions {
  std::string model = "lenet5";
  std::optional<fs::path> data;
  bool synthetic = false;
  std::optional<std::int64_t> target_bytes;
  std::optional<double> max_drop;  // percentage points
  double minutes = 30;
  std::optional<std::int64_t> images;
  fs::path out = "espalier-smallest";
  std::vector<std::int64_t> widths;
  std::uint64_t seed = 1;
  bool json = false, quiet = false;
};

struct Kept {
  Trial trial;
  std::string file;  // in --out
};

std::string shown(const std::vector<std::int64_t>& widths) {
  std::vector<std::string> parts;
  for (const auto w : widths) parts.push_back(std::to_string(w));
  return join(parts, "-");
}

// One search in one folder: its trials, and the file that is best so far.
class Compression {
 public:
  Compression(CompressOptions options, datasets::TrainTest data)
      : options_(std::move(options)),
        data_(std::move(data)),
        kind_(network_kind(options_.model)),
        widths_(options_.widths.empty() ? kind_.small
                                        : std::vector<std::vector<std::int64_t>>{options_.widths}),
        images_(split(data_.train, std::min<std::int64_t>(5000, data_.train->size() / 6))) {
    Rng rng(options_.seed, "init");
    for (const auto& w : widths_) make_network(kind_, w, task_of(*data_.train), rng);  // or refuses
    fs::create_directories(options_.out);
    read_trials();
  }

  void run() {
    const auto start = std::chrono::steady_clock::now();
    const auto minutes_left = [&] {
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      return options_.minutes - spent.count() / 60;
    };
    learn_from_teacher();
    while (const auto plan =
               next_plan(goal_, trials(), widths_.size(), minutes_left(), options_.minutes)) {
      if (!kept_.empty() && minutes_left() <= 0) break;
      add(try_plan(*plan));
    }
  }

  void report() const {
    if (kept_.empty()) return;
    const Kept& best_one = kept_[*best(goal_, trials())];
    const double test_error = error_of(read_file(options_.out / "best.esp"), *data_.test);
    if (options_.json) {
      nlohmann::json all = to_json();
      all["best"] = to_json(best_one);
      all["best"]["test_error"] = test_error;
      std::cout << all.dump() << '\n';
      return;
    }
    std::cout << front_table() << '\n'
              << printable((options_.out / "best.esp").string()) << ": "
              << with_commas(best_one.trial.bytes) << " bytes, "
              << percent(1 - best_one.trial.error) << " of the validation images right, "
              << percent(1 - test_error) << " of the test images\n"
              << "Next: espalier inspect " << printable((options_.out / "best.esp").string())
              << ", or the same command again to go on searching\n";
  }

  void require_goal() const {
    const Kept& kept = kept_[*best(goal_, trials())];
    if (meets(goal_, kept.trial)) return;
    if (goal_.most_bytes)
      fail(ErrorKind::kTargetMissed, "compress", "no file of at most ",
           with_commas(*goal_.most_bytes), " bytes was found in the time; the smallest has ",
           with_commas(kept.trial.bytes), ": run it again, or give it more --minutes");
    fail(ErrorKind::kTargetMissed, "compress", "no file loses at most ", *options_.max_drop,
         " points; the best is wrong on ", percent(kept.trial.error), " where ",
         percent(*goal_.most_error), " are allowed: run it again, or give it more --minutes");
  }

 private:
  // LeNet-5 teaches every network; a goal relative to the whole network needs that one as well.
  void learn_from_teacher() {
    const int epochs = std::clamp(static_cast<int>(options_.minutes / 1.5), 2, 20);
    say("a teacher of " + std::to_string(epochs) + " epochs first, unless the folder has it");
    teacher_ = teacher(network_kind("lenet5"), options_.out / "teacher.safetensors", images_.train,
                       epochs);
    distillation_.emplace([this](const Tensor& x) { return (*teacher_)(Variable(x)).value(); },
                          Recipe{}.teacher);
    if (options_.target_bytes) {
      goal_.most_bytes = options_.target_bytes;
      return;
    }
    std::optional<Sequential> own;
    if (kind_.name != "lenet5")
      own = teacher(kind_, options_.out / (kind_.name + ".safetensors"), images_.train, epochs);
    const double whole = training::accuracy(own ? *own : *teacher_, *images_.validation);
    goal_.most_error = 1 - whole + *options_.max_drop / 100;
    say("the whole network in float is right on " + percent(whole) +
        " of the validation images: at most " + percent(*goal_.most_error) + " may be wrong");
  }

  Recipe recipe_for(const Plan& plan) const {
    Recipe recipe{.network = kind_.name,
                  .widths = widths_[plan.widths],
                  .epochs = plan.epochs,
                  .rate = {.lambda = static_cast<float>(plan.lambda), .learning_rate = 0.05f}};
    if (kind_.name != "lenet300") recipe.rate.middle_step = 1.5f;
    recipe.descent_images = 5000;
    recipe.descent_rounds = 1;
    recipe.descent_growing_rounds = 0;
    return recipe;
  }

  Kept try_plan(const Plan& plan) {
    const auto start = std::chrono::steady_clock::now();
    const std::string name = "trial-" + std::to_string(kept_.size() + 1);
    say(name + ": " + shown(widths_[plan.widths]) + ", lambda " + short_number(plan.lambda) + ", " +
        std::to_string(plan.epochs) + " epochs");
    const auto trained =
        train_smallest(recipe_for(plan), images_, &*distillation_,
                       {.seed = options_.seed, .label = name, .quiet = options_.quiet});
    write_file(options_.out / (name + ".esp"), trained.file);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return {{plan, std::ssize(trained.file), trained.validation_error, seconds.count() / 60},
            name + ".esp"};
  }

  void add(Kept kept) {
    kept_.push_back(std::move(kept));
    const Kept& best_one = kept_[*best(goal_, trials())];
    write_file(options_.out / "best.esp", read_file(options_.out / best_one.file));
    write_file(trials_file(), to_json().dump(1) + "\n");
    say(front_table());
  }

  std::vector<Trial> trials() const {
    std::vector<Trial> all;
    for (const Kept& kept : kept_) all.push_back(kept.trial);
    return all;
  }

  std::string front_table() const {
    std::vector<std::string> file, bytes, error, widths, lambda, epochs, goal;
    const auto all = trials();
    for (const std::size_t i : pareto_front(all)) {
      const Kept& kept = kept_[i];
      file.push_back(kept.file);
      bytes.push_back(with_commas(kept.trial.bytes));
      error.push_back(percent(kept.trial.error));
      widths.push_back(shown(widths_[kept.trial.plan.widths]));
      lambda.push_back(short_number(kept.trial.plan.lambda));
      epochs.push_back(std::to_string(kept.trial.plan.epochs));
      goal.push_back(i == *best(goal_, all) ? "best" : meets(goal_, kept.trial) ? "good" : "");
    }
    return table({{"file", file, true},
                  {"bytes", bytes},
                  {"validation error", error},
                  {"widths", widths, true},
                  {"lambda", lambda},
                  {"epochs", epochs},
                  {"goal", goal, true}},
                 terminal_width(1));
  }

  static std::string short_number(double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", v);
    return text;
  }

  void say(const std::string& line) const {
    if (!options_.quiet) std::cerr << line << (line.ends_with('\n') ? "" : "\n");
  }

  fs::path trials_file() const { return options_.out / "trials.json"; }

  nlohmann::json to_json(const Kept& kept) const {
    const Trial& t = kept.trial;
    return {{"file", kept.file},           {"bytes", t.bytes},
            {"validation_error", t.error}, {"widths", widths_[t.plan.widths]},
            {"lambda", t.plan.lambda},     {"epochs", t.plan.epochs},
            {"minutes", t.minutes}};
  }

  // What trials of one folder have in common.
  nlohmann::json settings() const {
    return {{"model", kind_.name},
            {"widths", widths_},
            {"seed", options_.seed},
            {"images", images_.train->size()},
            {"synthetic", options_.synthetic}};
  }

  nlohmann::json to_json() const {
    nlohmann::json all{{"settings", settings()},
                       {"trials", nlohmann::json::array()},
                       {"front", nlohmann::json::array()}};
    for (const Kept& kept : kept_) all["trials"].push_back(to_json(kept));
    for (const std::size_t i : pareto_front(trials())) all["front"].push_back(kept_[i].file);
    return all;
  }

  void read_trials() {
    if (!fs::exists(trials_file())) return;
    const Bytes text = read_file(trials_file());
    try {
      const auto all = nlohmann::json::parse(text.begin(), text.end());
      require(all.at("settings") == settings(), "--out", trials_file().string(),
              " belongs to another search, ", all.at("settings").dump(), ", not ",
              settings().dump(), "; choose another folder");
      for (const auto& t : all.at("trials")) {
        const auto at = std::ranges::find(widths_, t.at("widths").get<std::vector<std::int64_t>>());
        require(at != widths_.end(), ErrorKind::kCorrupt, trials_file().string(),
                "names widths that are not searched");
        kept_.push_back(
            {{{static_cast<std::size_t>(at - widths_.begin()), t.at("lambda"), t.at("epochs")},
              t.at("bytes"),
              t.at("validation_error"),
              t.at("minutes")},
             t.at("file")});
        const Kept& kept = kept_.back();
        require(kept.trial.plan.lambda > 0 && kept.trial.plan.epochs > 0 && kept.trial.bytes > 0 &&
                    kept.trial.minutes > 0 && fs::path(kept.file).filename() == kept.file,
                ErrorKind::kCorrupt, trials_file().string(), "holds a trial that cannot be");
      }
    } catch (const nlohmann::json::exception& error) {
      fail(ErrorKind::kCorrupt, trials_file().string(),
           "is no list of trials of this program; remove it");
    }
    say(std::to_string(kept_.size()) + " trials are there already");
  }

  CompressOptions options_;
  datasets::TrainTest data_;
  const NetworkKind& kind_;
  std::vector<std::vector<std::int64_t>> widths_;
  Images images_;
  Goal goal_;
  std::optional<Sequential> teacher_;
  std::optional<training::Distillation> distillation_;
  std::vector<Kept> kept_;
};

void compress(CompressOptions options) {
  require(options.target_bytes.has_value() != options.max_drop.has_value(), "compress",
          "wants one of --target-bytes and --max-drop");
  install_interrupt_handler();
  set_threads(1);
  std::optional<datasets::MnistData> data;
  if (!options.synthetic) data = datasets::find_or_fetch_mnist(options.data);
  if (!data) {
    options.synthetic = true;
    data = datasets::synthetic_digits();
  }
  if (options.images) {
    require(*options.images <= data->train->size(), "--images", "the data has ",
            data->train->size(), " training images, asked for ", *options.images);
    data->train = datasets::first(data->train, *options.images);
  }
  if (options.json) options.quiet = true;
  Compression compression(options, *data);
  try {
    compression.run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    clear_interrupt();
    compression.report();
    fail(ErrorKind::kInterrupted, "compress",
         "stopped by Ctrl-C; what was found is kept, and the same command goes on");
  }
  compression.report();
  compression.require_goal();
}

}  // namespace

void add_compress(CLI::App& app) {
  auto options = std::make_shared<CompressOptions>();
  auto* command = app.add_subcommand(
      "compress", "Train the smallest file of a network that is good enough, from nothing");
  std::vector<std::string> names;
  std::string list;
  for (const auto& kind : network_kinds()) {
    names.push_back(kind.name);
    list += "\n  " + pad_right(kind.name, 15) + kind.description;
  }
  command->add_option("--model", options->model, "The network, by name: see below")
      ->check(one_of("network", names))
      ->capture_default_str();
  auto* bytes = command
                    ->add_option("--target-bytes", options->target_bytes,
                                 "At most this many bytes, with the least error")
                    ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  command
      ->add_option("--max-drop", options->max_drop,
                   "At most this many percentage points less than the whole network in float, with "
                   "the fewest bytes")
      ->check(CLI::Range(0.0, 100.0))
      ->excludes(bytes);
  auto* data =
      command->add_option("--data", options->data,
                          "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                          "~/.cache/espalier/mnist, then one download, then the built-in synthetic "
                          "digits)");
  command->add_flag("--synthetic", options->synthetic, "Use the built-in synthetic digits")
      ->excludes(data);
  command
      ->add_option("--minutes", options->minutes,
                   "Time for this run; a trial that has begun is finished")
      ->check(CLI::Range(0.05, 10'000.0))
      ->capture_default_str();
  command->add_option("--out", options->out, "Folder for trials, best.esp and trials.json")
      ->capture_default_str();
  command
      ->add_option("--widths", options->widths,
                   "Of the hidden layers at the start, in place of those that are searched")
      ->delimiter(',');
  command
      ->add_option("--images", options->images,
                   "Only the first of the training images, for a quick look (default: all)")
      ->check(CLI::Range(std::int64_t{60}, std::int64_t{1} << 30));
  command->add_option("--seed", options->seed, "Of all that is random")->capture_default_str();
  command->add_flag("--json", options->json, "Print one line of JSON, and nothing else");
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer(
      "Trains with a price on bits (lambda), first shortly at some prices, then as long as the "
      "time\n"
      "allows at the price that should meet the goal. Settings are chosen on the last training\n"
      "images; the test images are looked at once, at the end. A table of the files that no other\n"
      "beats in both bytes and error grows as it goes. Ctrl-C keeps all finished trials, and the\n"
      "same command goes on from them.\n"
      "Networks, all of whose widths may shrink on the way:" +
      list +
      "\nExit code 5: the goal was not met in the time.\n"
      "Examples: espalier compress --model lenet5 --target-bytes 1000 --data mnist\n"
      "          espalier compress --model lenet300 --max-drop 0.3 --minutes 60 --out small");
  command->callback([options] { compress(*options); });
}

}  // namespace espalier::apps
