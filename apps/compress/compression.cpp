#include "apps/compress/compression.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "apps/common/model_input.hpp"
#include "apps/common/own_command.hpp"
#include "apps/common/starting_recipe.hpp"
#include "apps/smallest/given_model.hpp"
#include "apps/smallest/number_error.hpp"
#include "apps/smallest/teacher.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/base/bytes.hpp"
#include "core/base/file.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "optim/training/chance.hpp"
#include "optim/training/evaluate.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

std::string shown(const std::vector<std::int64_t>& widths) {
  std::vector<std::string> parts;
  for (const auto w : widths) parts.push_back(std::to_string(w));
  return join(parts, "-");
}

std::string short_number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", v);
  return text;
}

// A name's, or a file's.
NetworkKind kind_of(const std::string& model) {
  if (!model.ends_with(".json")) return network_kind(model);
  const Bytes text = read_file(model);
  return network_of_json(model, {text.begin(), text.end()});
}

bool fits(const NetworkKind& kind, const Task& task) {
  Rng rng(1, "fits");
  try {
    make_network(kind, kind.widths, task, rng);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// "" of a built-in network, which its name says.
std::string checksum_of(const NetworkKind& kind) {
  if (kind.json.empty()) return "";
  return ", CRC-32 of model.json " +
         std::to_string(
             crc32({reinterpret_cast<const std::uint8_t*>(kind.json.data()), kind.json.size()}));
}

// An epoch's.
std::int64_t batches_of(std::int64_t examples) {
  const std::int64_t batch = batch_for(examples);
  return (examples + batch - 1) / batch;
}

// The classes' names in the file, where the data has any.
Bytes labelled(const Bytes& file, const TrainingData& data) {
  if (data.labels.empty() && data.columns.empty()) return file;
  format::PackedModel model = format::read(file, "compress");
  model.labels = data.labels;
  remember_table(model, data);
  return format::write(model);
}

}  // namespace

Compression::Compression(CompressOptions options, TrainingData data)
    : options_(std::move(options)),
      data_(std::move(data)),
      kind_(kind_of(options_.model)),
      widths_(options_.widths.empty() ? kind_.small
                                      : std::vector<std::vector<std::int64_t>>{options_.widths}),
      images_(split(data_.data.train, std::min<std::int64_t>(5000, data_.data.train->size() / 6))) {
  constexpr std::int64_t kLeastSteps = 60;
  rounds_ = static_cast<int>(std::max<std::int64_t>(
      1,
      (kLeastSteps + batches_of(images_.train->size()) - 1) / batches_of(images_.train->size())));
  const GivenModel whole = given_model(options_.model, *data_.data.train, options_.seed);
  quantize::require_quantizable(whole.model);
  if (!whole.labels.empty()) data_.labels = whole.labels;
  require(kind_.json.empty() || options_.widths.empty(), "--widths",
          "is for built-in networks; the layers of ", kind_.name, " say how wide they are");
  Rng rng(options_.seed, "init");
  for (const auto& w : widths_)
    make_network(kind_, w, task_of(*data_.data.train), rng);  // or refuses
  for (const char* other : {"finished.json", "progress/run.txt"})
    require(!fs::exists(options_.out / other) || fs::exists(options_.out / "trials.json"), "--out",
            options_.out.string(), " holds what compress --recipe made (", other,
            "); give the search a folder of its own");
  fs::create_directories(options_.out);
  read_trials();
}

void Compression::run() {
  const auto start = std::chrono::steady_clock::now();
  const auto minutes_left = [&] {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    return options_.minutes - spent.count() / 60;
  };
  set_goal_and_teacher();
  if (!kept_.empty()) keep_best();
  while (const auto plan =
             next_plan(goal_, trials(), widths_.size(), minutes_left(), options_.minutes)) {
    if (!kept_.empty() && minutes_left() <= 0) break;
    add(try_plan(*plan));
  }
}

std::string Compression::shown_error(double error) const {
  if (!of_numbers()) return percent(error);
  std::ostringstream text;
  text << rmse_of(error);
  return text.str();
}

double Compression::rmse_of(double error) const {
  return double{data_.target->deviation} *
         std::sqrt(training::variance_of_targets(*images_.validation) * error);
}

void Compression::report() const {
  if (kept_.empty()) return;
  const Bytes file = read_file(options_.out / "best.esp");
  const double best_error = best_one().trial.error;
  const double test_error = of_numbers() ? 0 : error_of(file, *data_.data.test);
  const NumberScores numbers =
      of_numbers() ? number_scores(file, *data_.data.test, *data_.target) : NumberScores();
  if (options_.json) {
    nlohmann::json all = to_json();
    all["best"] = to_json(best_one());
    if (of_numbers())
      all["best"].update({{"validation_rmse", rmse_of(best_error)},
                          {"test_rmse", numbers.rmse()},
                          {"test_r2", numbers.r2()}});
    else
      all["best"]["test_error"] = test_error;
    std::cout << all.dump() << '\n';
    return;
  }
  std::cout << front_table() << '\n'
            << printable((options_.out / "best.esp").string()) << ": "
            << with_commas(best_one().trial.bytes) << " bytes, ";
  if (of_numbers())
    std::cout << "RMSE " << shown_error(best_error) << " on the validation rows, " << numbers.rmse()
              << " on the test rows (R2 " << fixed(numbers.r2(), 4) << ")\n";
  else
    std::cout << percent(1 - best_error) << " of the validation " << data_.examples() << " right, "
              << percent(1 - test_error) << " of the test " << data_.examples() << '\n';
  std::cout << "Next: " << own_command() << " inspect "
            << printable(shell_word((options_.out / "best.esp").string()))
            << ", or the same command again to go on searching\n";
}

void Compression::require_goal() const {
  const Kept& kept = best_one();
  require(!of_numbers() || kept.trial.error < 1, ErrorKind::kTargetMissed, "compress",
          "the best file predicts no better than always saying the mean: allow more bytes, or give "
          "it more --minutes");
  require(of_numbers() || !training::is_at_chance(1 - kept.trial.error, *images_.validation),
          ErrorKind::kTargetMissed, "compress", "the best file is right on ",
          percent(1 - kept.trial.error), " of the validation ", data_.examples(),
          ", no more than the most frequent class alone as the answer to "
          "all: allow more bytes, or give it more --minutes");
  if (meets(goal_, kept.trial)) return;
  if (goal_.most_bytes)
    fail(ErrorKind::kTargetMissed, "compress", "no file of at most ",
         with_commas(*goal_.most_bytes), " bytes was found in the time; the smallest has ",
         with_commas(kept.trial.bytes), ": run it again, or give it more --minutes");
  if (of_numbers())
    fail(ErrorKind::kTargetMissed, "compress", "no file has at most ", *options_.max_drop,
         " % more RMSE; the best has ", shown_error(kept.trial.error), " where ",
         shown_error(*goal_.most_error), " is allowed: run it again, or give it more --minutes");
  fail(ErrorKind::kTargetMissed, "compress", "no file loses at most ", *options_.max_drop,
       " points; the best is wrong on ", percent(kept.trial.error), " where ",
       percent(*goal_.most_error), " are allowed: run it again, or give it more --minutes");
}

// LeNet-5 teaches every built-in network of pictures that are large enough for it, else the network in
// whole;
// a goal relative to the whole network needs that one as well. Numbers are learned without a teacher.
void Compression::set_goal_and_teacher() {
  constexpr std::int64_t kSteps = 1500;
  const std::int64_t batches = batches_of(images_.train->size());
  const int by_time = std::clamp(static_cast<int>(options_.minutes / 1.5), 2, 20);
  const int epochs = std::max(by_time, static_cast<int>((kSteps + batches - 1) / batches));
  goal_.most_bytes = options_.target_bytes;
  if (of_numbers()) goal_.least_error = 1e-12;
  if (of_numbers() && goal_.most_bytes) return;
  say(std::string(of_numbers() ? "the whole network, " : "a teacher of ") + std::to_string(epochs) +
      " epochs" + (of_numbers() ? "," : "") + " first, unless the folder has it");
  const bool table = !data_.columns.empty();
  const bool pictures =
      !of_numbers() && kind_.json.empty() && fits(network_kind("lenet5"), task_of(*images_.train));
  const NetworkKind& teaching = pictures ? network_kind("lenet5") : kind_;
  const TeacherOptions training{.epochs = epochs,
                                .batch_size = batch_for(images_.train->size()),
                                .learning_rate = table ? 5e-3f : 1e-3f,
                                .dropout = table ? 0 : 0.5f,
                                .validation = epochs > by_time ? &*images_.validation : nullptr,
                                .quiet = options_.quiet,
                                .identity = data_.identity + checksum_of(kind_)};
  teacher_ = teacher(teaching, options_.out / "teacher.safetensors", images_.train, training);
  if (of_numbers()) {
    const double r2 = training::evaluate(*teacher_, *images_.validation).r2;
    require(r2 > 0, ErrorKind::kTargetMissed, "compress", "the whole network has an R2 of ",
            fixed(r2, 4), " on ", with_commas(images_.validation->size()),
            " validation rows, where always saying the mean has 0: it has learned nothing that "
            "could be compressed; is the label the right column? Else try another --model, or more "
            "data");
    const double factor = 1 + *options_.max_drop / 100;  // of the RMSE
    goal_.most_error = (1 - r2) * factor * factor;
    say("the whole network in float has an RMSE of " + shown_error(1 - r2) +
        " on the validation rows: at most " + shown_error(*goal_.most_error) + " is allowed");
    return;
  }
  distillation_.emplace([this](const Tensor& x) { return (*teacher_)(Variable(x)).value(); },
                        Recipe{}.teacher);
  require_learned(*teacher_, "the teacher, " + teaching.name + ",");
  if (goal_.most_bytes) return;
  std::optional<Sequential> own;
  if (kind_.name != teaching.name)
    own = teacher(kind_, options_.out / (kind_.name + ".safetensors"), images_.train, training);
  if (own) require_learned(*own, "the whole network");
  const double whole = training::accuracy(own ? *own : *teacher_, *images_.validation);
  goal_.most_error = 1 - whole + *options_.max_drop / 100;
  say("the whole network in float is right on " + percent(whole) + " of the validation " +
      data_.examples() + ": at most " + percent(*goal_.most_error) + " may be wrong");
}

void Compression::require_learned(Sequential& network, const std::string& what) const {
  const double accuracy = training::accuracy(network, *images_.validation);
  require(!training::is_at_chance(accuracy, *images_.validation), ErrorKind::kTargetMissed,
          "compress", what, " is right on ", percent(accuracy), " of ",
          with_commas(images_.validation->size()), " validation ", data_.examples(),
          ", where the most frequent class alone would be right on ",
          percent(training::most_frequent_share(*images_.validation)),
          ": it has learned nothing that could be compressed; is the label the right column, or "
          "class? Else try another --model, or more data");
}

Recipe Compression::recipe_for(const Plan& plan) const {
  Recipe recipe{.network = kind_.name,
                .model_json = kind_.json,
                .widths = widths_[plan.widths],
                .epochs = plan.epochs * rounds_,
                .batch_size = batch_for(images_.train->size()),
                .rate = {.lambda = static_cast<float>(plan.lambda),
                         .learning_rate = of_numbers() ? 0.03f : 0.05f}};
  if (kind_.name != "lenet300") recipe.rate.middle_step = 1.5f;
  if (of_numbers())  // a step of 1.5 deviations would be all the network says; tried: 0.125 to 1.5
    recipe.rate.first_step = recipe.rate.last_step = 0.5f, recipe.rate.middle_step = 0.25f;
  recipe.descent_images = 5000;
  recipe.descent_rounds = 1;
  recipe.descent_growing_rounds = 0;
  return recipe;
}

Compression::Kept Compression::try_plan(const Plan& plan) const {
  const std::string name = "trial-" + std::to_string(kept_.size() + 1);
  say(name + ": " + (kind_.json.empty() ? shown(widths_[plan.widths]) : kind_.name) + ", lambda " +
      short_number(plan.lambda) + ", " + std::to_string(plan.epochs * rounds_) + " epochs");
  const auto trained =
      train_smallest(recipe_for(plan), images_, distillation_ ? &*distillation_ : nullptr,
                     {.seed = options_.seed, .label = name, .quiet = options_.quiet});
  const Bytes file = labelled(trained.file, data_);
  write_file(options_.out / (name + ".esp"), file);
  return {{plan, std::ssize(file), trained.validation_error, trained.training_minutes,
           trained.descent_minutes},
          name + ".esp"};
}

void Compression::add(Kept kept) {
  kept_.push_back(std::move(kept));
  write_file(trials_file(), to_json().dump(1) + "\n");
  keep_best();
  say(front_table());
}

void Compression::keep_best() const {
  write_file(options_.out / "best.esp", read_file(options_.out / best_one().file));
}

const Compression::Kept& Compression::best_one() const {
  return kept_[*best(goal_, trials())];
}

std::vector<Trial> Compression::trials() const {
  std::vector<Trial> all;
  for (const Kept& kept : kept_) all.push_back(kept.trial);
  return all;
}

std::string Compression::front_table() const {
  std::vector<std::string> file, bytes, error, widths, lambda, epochs, goal;
  const auto all = trials();
  for (const std::size_t i : pareto_front(all)) {
    const Kept& kept = kept_[i];
    file.push_back(kept.file);
    bytes.push_back(with_commas(kept.trial.bytes));
    error.push_back(shown_error(kept.trial.error));
    widths.push_back(shown(widths_[kept.trial.plan.widths]));
    lambda.push_back(short_number(kept.trial.plan.lambda));
    epochs.push_back(std::to_string(kept.trial.plan.epochs * rounds_));
    goal.push_back(i == *best(goal_, all) ? "best" : meets(goal_, kept.trial) ? "good" : "");
  }
  return table({{"file", file, true},
                {"bytes", bytes},
                {of_numbers() ? "validation RMSE" : "validation error", error},
                {"widths", widths, true},
                {"lambda", lambda},
                {"epochs", epochs},
                {"goal", goal, true}},
               terminal_width(1));
}

void Compression::say(const std::string& line) const {
  if (!options_.quiet) std::cerr << line << (line.ends_with('\n') ? "" : "\n");
}

nlohmann::json Compression::to_json(const Kept& kept) const {
  const Trial& t = kept.trial;
  return {{"file", kept.file},           {"bytes", t.bytes},
          {"validation_error", t.error}, {"widths", widths_[t.plan.widths]},
          {"lambda", t.plan.lambda},     {"epochs", t.plan.epochs},
          {"minutes", t.minutes},        {"other_minutes", t.other_minutes}};
}

// What trials of one folder have in common.
nlohmann::json Compression::settings() const {
  return {{"model", kind_.name + checksum_of(kind_)},
          {"widths", widths_},
          {"seed", options_.seed},
          {"data", data_.identity}};
}

nlohmann::json Compression::to_json() const {
  nlohmann::json all{{"settings", settings()},
                     {"trials", nlohmann::json::array()},
                     {"front", nlohmann::json::array()}};
  for (const Kept& kept : kept_) all["trials"].push_back(to_json(kept));
  for (const std::size_t i : pareto_front(trials())) all["front"].push_back(kept_[i].file);
  return all;
}

void Compression::read_trials() {
  if (!fs::exists(trials_file())) return;
  const Bytes text = read_file(trials_file());
  try {
    const auto all = nlohmann::json::parse(text.begin(), text.end());
    require(all.at("settings") == settings(), "--out", trials_file().string(),
            " belongs to another search, ", all.at("settings").dump(), ", not ", settings().dump(),
            "; choose another folder");
    for (const auto& t : all.at("trials")) {
      const auto at = std::ranges::find(widths_, t.at("widths").get<std::vector<std::int64_t>>());
      require(at != widths_.end(), ErrorKind::kCorrupt, trials_file().string(),
              "names widths that are not searched");
      kept_.push_back(
          {{{static_cast<std::size_t>(at - widths_.begin()), t.at("lambda"), t.at("epochs")},
            t.at("bytes"),
            t.at("validation_error"),
            t.at("minutes"),
            t.at("other_minutes")},
           t.at("file")});
      const Kept& kept = kept_.back();
      require(kept.trial.plan.lambda > 0 && kept.trial.plan.epochs > 0 && kept.trial.bytes > 0 &&
                  kept.trial.minutes > 0 && fs::path(kept.file).filename() == kept.file,
              ErrorKind::kCorrupt, trials_file().string(), "holds a trial that cannot be");
      const std::string file = (options_.out / kept.file).string();
      format::read(read_file(file), file);  // or says that this one is damaged, or missing
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorKind::kCorrupt, trials_file().string(),
         "is no list of trials of this program; choose another --out: a search begun here anew "
         "would "
         "replace the trials that are there");
  }
  say(std::to_string(kept_.size()) + " trials are there already");
}

}  // namespace espalier::apps
