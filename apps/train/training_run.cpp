#include "apps/train/training_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

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
#include "compress/recipe/stage_training.hpp"
#include "compress/recipe/teacher.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/model_json.hpp"
#include "layers/network_file.hpp"
#include "layers/summary.hpp"
#include "optim/training/batch_parts.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

bool in_float(const recipe::Stage& stage) {
  return !stage.quantize && !stage.rate;
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

recipe::Recipe of_epochs(recipe::Recipe recipe, int epochs) {
  const auto plain = [](const recipe::Stage& s) { return s.name() == "train"; };
  const auto first = std::ranges::find_if(recipe.stages, plain);
  require(first != recipe.stages.end(), "--epochs", "the recipe has no plain training");
  const double part = static_cast<double>(epochs) / first->epochs;
  if (epochs == 0) std::erase_if(recipe.stages, plain);
  for (recipe::Stage& stage : recipe.stages) {
    stage.epochs =
        epochs == 0 ? 0 : std::max(1, static_cast<int>(std::lround(part * stage.epochs)));
    if (epochs == 0) stage.augment.reset();
    // What the recipe says of a long run's masks; a short one has its own.
    if (part < 1 && stage.prune)
      stage.prune->target.frequency_steps = 0, stage.prune->target.end = 1;
  }
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
  require(
      options_.resume.empty() || goes_on(), ErrorKind::kIo, "--resume", options_.resume.string(),
      " holds no run.txt, and nothing to go on with; it is a folder that --checkpoint or Ctrl-C "
      "made");
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
    recipe::check_changes(stage, data_.data.train->image_shape());
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
  if (stage.epochs > 0) training::require_parts(copy, recipe::batch_parts(stage, options_.parts));
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
  warn_of_stopped();
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
            << " parameters, " << with_commas(model_.macs(input)) << " multiply-adds "
            << (data_.columns.empty() ? "an image" : "a row") << "; as a file before any pass "
            << sizes << '\n'
            << with_commas(train.size()) << " training " << data_.examples() << " of "
            << printable(data_.name) << "; stages:";
  for (const recipe::Stage& stage : recipe_.stages)
    std::cerr << ' ' << stage.name() << " (" << stage.epochs
              << (stage.epochs == 1 ? " epoch)" : " epochs)");
  std::cerr << '\n' << parts_told();
  if (std::ranges::any_of(recipe_.stages, [](const recipe::Stage& s) { return s.epochs > 0; }))
    std::cerr << expected() << '\n';
}

std::string TrainingRun::parts_told() const {
  if (options_.parts == 1) return "";
  std::vector<std::string> whole;
  for (const recipe::Stage& stage : recipe_.stages)
    if (stage.epochs > 0 && recipe::batch_parts(stage, options_.parts) == 1)
      whole.push_back(stage.name());
  return "batches go forward and backward in " + std::to_string(options_.parts) + " parts" +
         (whole.empty() ? "" : ", but whole in: " + join(whole, ", ")) + "\n";
}

// The step that diverges is the training's own to report.
std::string TrainingRun::expected() {
  const std::int64_t resident =
      resident_bytes();  // a look at training leaves its memory in the pool
  try {
    const auto all = recipe::expect([this] { return new_model(); }, *data_.data.train, recipe_,
                                    goes_on() ? checkpoints() : "", options_.parts);
    return told({.goes_on = goes_on(),
                 .seconds = all.seconds,
                 .may_end_early = all.may_end_early,
                 .training_bytes = all.training_bytes,
                 .resident_bytes = resident});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDiverged) throw;
    return "how long training takes is unknown: a first look at it diverged";
  }
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
  std::cerr << row.stage << ": " << quality(row) << ", " << with_commas(std::ssize(file_))
            << " bytes\n";
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
                      {"seconds", epoch.seconds},
                      {"waited", epoch.waited}};
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
                         .parts = options_.parts,
                         .quiet = options_.quiet,
                         .on_stage = [this](const recipe::StageReport& r) { add_row(r); }};
  if (!options_.log.empty()) {
    log_.emplace(options_.log, goes_on());
    run.on_epoch = [this](const auto& stage, const auto& epoch) { log(stage, epoch); };
  }
  if (keeps_epochs()) {
    open_checkpoints();
    run.checkpoints = checkpoints();
  } else {
    run.last_states = &last_states_;
  }
  recipe::run_recipe(model_, *data_.data.train, recipe_, run);
  write_file(options_.out, file_);
  if (!options_.weights.empty()) write_file(options_.weights, weights_);
  if (keeps_epochs()) remove_checkpoints(checkpoints());
}

}  // namespace espalier::apps
