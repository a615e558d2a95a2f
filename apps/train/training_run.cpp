#include "apps/train/training_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/expectation.hpp"
#include "apps/common/model_input.hpp"
#include "apps/common/table_metadata.hpp"
#include "apps/smallest/given_model.hpp"
#include "apps/smallest/number_error.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/expect.hpp"
#include "compress/recipe/packed.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "compress/recipe/teacher.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/memory.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/onednn/isa.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/model_json.hpp"
#include "layers/network_file.hpp"
#include "layers/summary.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

bool is_file_of_a_model(const std::string& model) {
  return model.ends_with(".json");
}

bool in_float(const recipe::Stage& stage) {
  return !stage.quantize && !stage.rate;
}

// In the first line of run.txt what follows is of the machine, not of the run.
constexpr const char* kOnMachine = ", threads ";

std::string without_machine(std::string run) {
  const std::size_t end = std::min(run.find('\n'), run.size()), at = run.rfind(kOnMachine, end);
  if (at != std::string::npos) run.erase(at, end - at);
  return run;
}

void require_place(const char* option, const fs::path& out, const TrainingOptions& options,
                   const recipe::Recipe& recipe) {
  std::vector<fs::path> inputs = {options.model, options.recipe, options.from, options.map};
  for (const recipe::Stage& stage : recipe.stages)
    if (stage.distill) inputs.emplace_back(stage.distill->teacher);
  if (options.data.path) inputs.push_back(*options.data.path);
  for (const fs::path& input : inputs) {
    std::error_code neither;  // of them exists
    require(!fs::equivalent(out, input, neither), option, out.string(),
            " is what the run is made from, and would be overwritten; name another file");
  }
  require(!fs::is_directory(out), ErrorKind::kIo, option, out.string(),
          " is a folder where a file is to be written; name a file in it");
  const fs::path folder = fs::absolute(out).parent_path();
  require(fs::is_directory(folder) && ::access(folder.c_str(), W_OK) == 0, ErrorKind::kIo, option,
          folder.string(), " is no folder that can be written to; create it, or choose another");
}

}  // namespace

recipe::Recipe with_training(recipe::Recipe recipe, std::optional<int> epochs, bool trained) {
  const recipe::Stage& first = recipe.stages.front();
  const bool trains = first.rate || (first.name() == "train");
  const int before = epochs.value_or(trains || trained ? 0 : 4);
  if (before > 0) recipe.stages.insert(recipe.stages.begin(), recipe::Stage{.epochs = before});
  return recipe;
}

recipe::Recipe with_watch(recipe::Recipe recipe, int early_stop, int plateau) {
  bool any = false;
  for (recipe::Stage& stage : recipe.stages) {
    if (stage.name() != "train" || stage.epochs == 0) continue;
    any = true;
    if (early_stop > 0) stage.early_stop = early_stop;
    if (plateau > 0) {
      stage.schedule = recipe::LearningSchedule::kPlateau;
      stage.plateau_epochs = plateau;
    }
  }
  require(any || (early_stop == 0 && plateau == 0), early_stop > 0 ? "--early-stop" : "--plateau",
          "the recipe has no stage of training without a pass; --epochs puts one before it");
  return recipe;
}

TrainingRun::TrainingRun(TrainingOptions options, recipe::Recipe recipe, TrainingData data)
    : options_(std::move(options)), recipe_(std::move(recipe)), data_(std::move(data)) {
  if (!options_.from.empty()) first_.emplace(options_.from, options_.map);
  model_ = new_model();
  require_place("--out", options_.out, options_, recipe_);
  if (!options_.weights.empty()) {
    require_place("--weights", options_.weights, options_, recipe_);
    require(fs::absolute(options_.weights).lexically_normal() !=
                fs::absolute(options_.out).lexically_normal(),
            "--weights", options_.weights.string(), " is the --out file, too; name another");
    require(std::ranges::any_of(recipe_.stages, in_float), "--weights",
            "the recipe has no stage in float whose weights could be kept; leave it out");
  }
  if (!options_.log.empty()) {
    require_place("--log", options_.log, options_, recipe_);
    for (const fs::path& other : {options_.out, options_.weights})
      require(other.empty() || fs::absolute(options_.log).lexically_normal() !=
                                   fs::absolute(other).lexically_normal(),
              "--log", options_.log.string(), " is what the run writes, too; name another file");
  }
  for (const recipe::Stage& stage : recipe_.stages) {
    if (stage.quantize || stage.rate) quantize::require_quantizable(model_);
    recipe::check_names(stage, model_);
    if (stage.distill) recipe::load_teacher(*stage.distill, *data_.data.train);
  }
  for (std::size_t i = 0; i < recipe_.stages.size(); ++i) try_stage(i);
}

// Names of layers and the like: what a pass refuses when it meets the model, before hours of stages
// that come first. Clusters take a while to find: of them what is selected is tried alone.
void TrainingRun::try_stage(std::size_t index) {
  const recipe::Stage& stage = recipe_.stages[index];
  Sequential copy = new_model();
  for (std::size_t i = 0; i <= index; ++i)
    if (recipe_.folds_batch_norm(i)) quantize::fold_batch_norm(copy);
  recipe::Stage without = stage;
  if (stage.cluster) {
    const auto selects = recipe::selection(stage.cluster->select);
    bool any = false;
    copy.visit({.parameter = [&](const std::string& name, Parameter& p) {
      any = any || selects(name, p);
    }});
    require(any, "cluster", "no parameter of the model was selected");
    without.cluster.reset();
  }
  if (stage.stores()) {
    recipe::Recipe stores = recipe_;  // of weights that nobody clustered
    for (recipe::Stage& any : stores.stages) any.cluster.reset();
    recipe::packed(copy, nullptr, data_.data.train->image_shape(), stores, index);
  }
  const recipe::StagePasses passes(without, nullptr, warn_nobody);
  for (training::Pass* pass : passes.riding()) {
    pass->attach(copy);
    if (stage.prune || stage.units) pass->step({.step = 0, .total_steps = 1});
  }
}

Sequential TrainingRun::new_model() {
  GivenModel given = given_model(options_.model, *data_.data.train, options_.seed);
  labels_ = given.labels.empty() ? data_.labels : given.labels;
  if (first_) first_->put_into(given.model, data_.data.train->image_shape());
  return std::move(given.model);
}

Bytes TrainingRun::file_of(format::PackedModel packed) const {
  packed.labels = labels_;
  remember_table(packed, data_);
  return format::write(packed);
}

void TrainingRun::announce() {
  if (options_.quiet) return;
  const datasets::Dataset& train = *data_.data.train;
  const Shape input = train.image_shape();
  std::string sizes =
      with_commas(std::ssize(file_of(pack::pack(model_, input)))) + " bytes in float";
  try {  // the untrained weights as 8-bit integers: training makes them no larger
    Sequential copy = new_model();
    quantize::QuantizationAware pass(
        {.observer = quantize::ObserverKind::kMinMax, .warn = warn_nobody});
    pass.attach(copy);
    pass.calibrate(train, std::min<std::int64_t>(100, train.size()));
    pass.bake();
    sizes += ", about " + with_commas(std::ssize(file_of(pack::pack(pass.network(), input)))) +
             " in int8";
    const auto floats = std::ssize(pass.float_report());
    if (floats > 0)
      sizes += ", where " + std::to_string(floats) +
               (floats == 1 ? " layer stays" : " layers stay") + " in float";
  } catch (const Error& error) {
    sizes += std::string(", not in int8: ") + error.what();
  }
  if (first_) std::cerr << first_->told(model_);
  std::cerr << options_.model << ": " << with_commas(count_parameters(model_).total())
            << " parameters, " << with_commas(model_.macs(input))
            << " multiply-adds an image; as a file before any pass " << sizes << '\n'
            << with_commas(train.size()) << " training images of " << printable(data_.name)
            << "; stages:";
  for (const recipe::Stage& stage : recipe_.stages)
    std::cerr << ' ' << stage.name() << " (" << stage.epochs
              << (stage.epochs == 1 ? " epoch)" : " epochs)");
  std::cerr << '\n';
  if (std::ranges::any_of(recipe_.stages, [](const recipe::Stage& s) { return s.epochs > 0; }))
    std::cerr << expected() << '\n';
}

// The step that diverges is the training's own to report.
std::string TrainingRun::expected() {
  const std::int64_t resident =
      resident_bytes();  // a look at training leaves its memory in the pool
  try {
    const auto all = recipe::expect([this] { return new_model(); }, *data_.data.train, recipe_);
    return told({.seconds = all.seconds,
                 .may_end_early = all.may_end_early,
                 .training_bytes = all.training_bytes,
                 .resident_bytes = resident});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDiverged) throw;
    return "how long training takes is unknown: a first look at it diverged";
  }
}

// What the checkpoints belong to stands beside them, and on what the run began: on another processor it
// goes on, and the checkpoints know that its bits are others.
void TrainingRun::open_checkpoints() const {
  std::string run = options_.model + ", seed " + std::to_string(options_.seed) + kOnMachine +
                    std::to_string(options_.threads) + ", " + options_.precision + ", oneDNN " +
                    onednn_version() + " for " + std::string(effective_isa()) + "\n" +
                    data_.identity + "\n";
  if (is_file_of_a_model(options_.model)) {
    const Bytes model = read_file(options_.model);
    run.append(model.begin(), model.end());
  }
  if (first_) run += first_->identity() + "\n";
  run += recipe::format_recipe(recipe_);
  for (const recipe::Stage& stage : recipe_.stages)
    if (stage.distill)
      run += "CRC-32 of " + stage.distill->teacher + ": " +
             std::to_string(crc32(read_file(stage.distill->teacher))) + "\n";
  const fs::path note = checkpoints() / "run.txt";
  if (fs::exists(note)) {
    const Bytes there = read_file(note);
    require(without_machine({there.begin(), there.end()}) == without_machine(run),
            checkpoints().string(),
            "belongs to another run (run.txt says which); remove it or choose another --out");
    if (!options_.quiet) std::cerr << "goes on from " << printable(checkpoints().string()) << '\n';
    return;
  }
  fs::create_directories(checkpoints());
  write_file(note, run);
}

void TrainingRun::add_row(const recipe::StageReport& report) {
  file_ = file_of(recipe::packed(report.model, report.network, data_.data.train->image_shape(),
                                 recipe_, report.index));
  if (!options_.weights.empty() && report.network == nullptr)
    weights_ = encode_network(report.model, data_.data.train->image_shape(), labels_,
                              table_metadata(data_));
  Row row{.stage = report.stage.name(),
          .deflate_bytes = pack::deflate_bytes(report.model),
          .file_bytes = file_.size()};
  if (data_.target)
    row.numbers = number_scores(file_, *data_.data.test, *data_.target);
  else
    row.accuracy = 1 - error_of(file_, *data_.data.test);
  const auto& prune = report.stage.prune;
  if (prune && prune->allocation == recipe::Sharing::kSensitivity)
    row.sparsities = prune->sparsities;
  rows_.push_back(row);
  if (options_.quiet) return;
  for (const auto& [name, sparsity] : row.sparsities)
    std::cerr << "  by sensitivity " << printable(name) << ": " << percent(double{sparsity}, 1)
              << " zeros\n";
  std::cerr << row.stage << ": ";
  if (data_.target)
    std::cerr << "RMSE " << row.numbers.rmse() << ", R2 " << fixed(row.numbers.r2(), 4)
              << " of the test rows, ";
  else
    std::cerr << percent(row.accuracy) << " of the test images, ";
  std::cerr << with_commas(std::ssize(file_)) << " bytes\n";
}

// The share of zeros among the weights, as the passes have them by now.
double sparsity_of(Sequential& model) {
  const NoGradient guard;
  std::int64_t zeros = 0, all = 0;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!prune::weights()(name, p)) return;
    const Tensor value = p.effective().value();
    zeros += std::ranges::count(value.values(), 0.0f);
    all += value.elements();
  }});
  return all > 0 ? static_cast<double>(zeros) / static_cast<double>(all) : 0;
}

void TrainingRun::log(const recipe::StageReport& stage, const training::EpochReport& epoch) {
  nlohmann::json line{{"stage", stage.index},
                      {"name", stage.stage.name()},
                      {"epoch", epoch.epoch},
                      {"loss", epoch.loss},
                      {"learning_rate", double{stage.stage.learning_rate} * double{epoch.rate}},
                      {"sparsity", sparsity_of(stage.model)},
                      {"seconds", epoch.seconds}};
  if (!data_.target) line["accuracy"] = epoch.accuracy;
  if (const auto& v = epoch.validation) {
    line["validation_loss"] = v->loss;
    line[data_.target ? "validation_r2" : "validation_accuracy"] =
        data_.target ? v->r2 : v->accuracy;
  }
  log_->add(line);
}

void TrainingRun::run() {
  recipe::RunOptions run{.seed = options_.seed,
                         .quiet = options_.quiet,
                         .on_stage = [this](const recipe::StageReport& r) { add_row(r); }};
  const bool goes_on = options_.checkpoint && fs::exists(checkpoints() / "run.txt");
  if (options_.checkpoint) {
    open_checkpoints();
    run.checkpoints = checkpoints();
  }
  if (!options_.log.empty()) {
    log_.emplace(options_.log, goes_on);
    run.on_epoch = [this](const auto& stage, const auto& epoch) { log(stage, epoch); };
  }
  recipe::run_recipe(model_, *data_.data.train, recipe_, run);
  write_file(options_.out, file_);
  if (!options_.weights.empty()) write_file(options_.weights, weights_);
  if (options_.checkpoint) fs::remove_all(checkpoints());
}

void TrainingRun::report() const {
  const double first = static_cast<double>(rows_.front().deflate_bytes);
  if (options_.json) {
    nlohmann::json all{{"model", options_.model},          {"seed", options_.seed},
                       {"synthetic", data_.synthetic},     {"data", data_.name},
                       {"file", options_.out.string()},    {"file_bytes", file_.size()},
                       {"stages", nlohmann::json::array()}};
    if (!options_.weights.empty()) {
      all["weights"] = options_.weights.string();
      all["weights_bytes"] = weights_.size();
    }
    for (const Row& row : rows_) {
      nlohmann::json stage{{"stage", row.stage},
                           {"deflate_bytes", row.deflate_bytes},
                           {"file_bytes", row.file_bytes}};
      if (data_.target)
        stage.update({{"rmse", row.numbers.rmse()}, {"r2", row.numbers.r2()}});
      else
        stage["accuracy"] = row.accuracy;
      for (const auto& [name, sparsity] : row.sparsities)
        stage["sparsities"][name] = shortest_decimal(sparsity);
      all["stages"].push_back(stage);
    }
    std::cout << all.dump() << '\n';
    return;
  }
  Column stage{.header = "stage", .left = true}, accuracy{"accuracy"}, rmse{"RMSE"}, r2{"R2"},
      deflate{"DEFLATE bytes"}, bytes{".esp bytes"}, smaller{"smaller"};
  for (const Row& row : rows_) {
    stage.cells.push_back(row.stage);
    accuracy.cells.push_back(percent(row.accuracy));
    std::ostringstream error;
    if (data_.target) error << row.numbers.rmse();
    rmse.cells.push_back(error.str());
    r2.cells.push_back(data_.target ? fixed(row.numbers.r2(), 4) : "");
    deflate.cells.push_back(with_commas(static_cast<std::int64_t>(row.deflate_bytes)));
    bytes.cells.push_back(with_commas(static_cast<std::int64_t>(row.file_bytes)));
    smaller.cells.push_back(fixed(first / static_cast<double>(row.file_bytes), 1) + "x");
  }
  std::vector<Column> columns{stage, accuracy, deflate, bytes, smaller};
  if (data_.target) columns = {stage, rmse, r2, deflate, bytes, smaller};
  std::cout << table(columns, terminal_width(1))
            << (data_.target ? "Root mean squared error and R2 on the " : "Accuracy on the ")
            << with_commas(data_.data.test->size())
            << (data_.target ? " test rows of " : " test images of ") << printable(data_.name)
            << ". DEFLATE: of the float parameters; smaller: those of the first stage by the .esp "
               "file.\n"
            << printable(options_.out.string()) << ": " << with_commas(std::ssize(file_))
            << " bytes written\n";
  const std::string weights = printable(options_.weights.string());
  if (log_)
    std::cout << printable(options_.log.string()) << ": "
              << with_commas(static_cast<std::int64_t>(fs::file_size(options_.log)))
              << " bytes written\n";
  if (!weights.empty())
    std::cout << weights << ": " << with_commas(std::ssize(weights_)) << " bytes written\n";
  const std::string file = printable(shell_word(options_.out.string()));
  std::cout << "Next: espalier inspect " << file << ", or espalier "
            << (weights.empty() ? "eval " + file
                                : "verify " + file + " --against " +
                                      printable(shell_word(options_.weights.string())))
            << (data_.synthetic && !options_.data.path ? " --synthetic"
                                                       : printable(arguments_of(options_.data)))
            << '\n';
}

}  // namespace espalier::apps
