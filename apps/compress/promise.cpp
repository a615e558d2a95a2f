#include "apps/compress/promise.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "apps/common/expectation.hpp"
#include "apps/common/model_input.hpp"
#include "apps/common/run_note.hpp"
#include "apps/common/starting_recipe.hpp"
#include "apps/common/table_metadata.hpp"
#include "apps/smallest/number_error.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/expect.hpp"
#include "compress/recipe/packed.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "core/archive/archive.hpp"
#include "core/base/bytes.hpp"
#include "core/base/file.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"
#include "optim/training/chance.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

// In OUT/progress.
constexpr const char *kFloat = "float", *kFloatFile = "float.safetensors";
std::string try_name(std::size_t number) {
  return "try-" + std::to_string(number);
}

bool compresses(const recipe::Stage& stage) {
  return stage.name() != "train";
}

// The same network, and its values.
Sequential copy_of(Sequential& model, const Shape& input) {
  Sequential copy = parse_model_json(format_model_json(model, input), "model").model;
  copy_parameters(model, copy);
  return copy;
}

}  // namespace

Promise::Promise(PromiseOptions options, TrainingData data)
    : options_(std::move(options)),
      data_(std::move(data)),
      images_(split(data_.data.train, std::min<std::int64_t>(5000, data_.data.train->size() / 6))) {
  const recipe::Recipe all = recipe::load_recipe(options_.recipe);
  require(
      !fs::exists(options_.out / "trials.json"), "--out", options_.out.string(),
      " holds a search without a recipe, whose best.esp would be replaced; choose another folder");
  for (const recipe::Stage& stage : all.stages)
    (passes_.stages.empty() && !compresses(stage) ? before_ : passes_).stages.push_back(stage);
  require(!passes_.stages.empty(), options_.recipe.string(),
          "has no stage that compresses; add one, as {\"quantize\": {}}");
  const datasets::Dataset& train = *data_.data.train;
  if (options_.weights.empty()) {
    GivenModel given = given_model(options_.model, train, options_.seed);
    baseline_ = std::move(given.model), labels_ = given.labels;
    if (before_.stages.empty()) {
      const StartingData known = starting_data(train.image_shape(), images_.train->size(),
                                               !data_.columns.empty(), options_.model);
      const auto start = recipe::parse_recipe(starting_recipe(known), "the recipe to start from");
      before_.stages = {start.stages.front()};
    }
  } else {
    ModelJson file = load_network(options_.weights);
    require(file.input == train.image_shape() &&
                file.model.output_shape(file.input) == Shape{train.classes()},
            options_.weights.string(), "the network takes ", file.input, " and ends in ",
            file.model.output_shape(file.input), ", the data has images of ", train.image_shape(),
            " in ", train.classes(), " classes");
    baseline_ = std::move(file.model), labels_ = file.labels;
    before_.stages.clear();
    say("if " + printable(options_.weights.string()) +
        " was trained on all of this data, it knows the " +
        with_commas(images_.validation->size()) + " validation " + data_.examples() +
        " that it is compared on: the promise is then harder to keep than on new "
        "ones");
  }
  if (labels_.empty()) labels_ = data_.labels;
  for (const recipe::Stage& stage : all.stages) {
    recipe::check_names(stage, baseline_);
    recipe::check_changes(stage, images_.train->image_shape());
  }
  identity_ = identity(all);
  open_progress();
}

std::string Promise::identity(const recipe::Recipe& all) const {
  std::string run = options_.model + ", seed " + std::to_string(options_.seed) + "\n" +
                    data_.identity + "\n" + recipe::format_recipe(all);
  std::vector<fs::path> files;
  if (options_.model.ends_with(".json")) files.emplace_back(options_.model);
  if (!options_.weights.empty()) files.push_back(options_.weights);
  for (const recipe::Stage& stage : all.stages)
    if (stage.distill) files.emplace_back(stage.distill->teacher);
  for (const fs::path& file : files)
    run += "CRC-32 of " + file.string() + ": " + std::to_string(crc32(read_file(file))) + "\n";
  return run;
}

void Promise::open_progress() {
  const fs::path note = progress() / "run.txt";
  if (!fs::exists(note)) take_up_finished();
  if (done_) return;
  if (fs::exists(note)) {
    const Bytes bytes = read_file(note);
    const std::string there(bytes.begin(), bytes.end());
    require(there == identity_, "--out", progress().string(),
            " belongs to another run (run.txt: ", difference(there, identity_),
            "); remove it or choose another --out");
    goes_on_ = true;
    say("goes on from " + printable(progress().string()));
    return;
  }
  fs::create_directories(progress());
  try {
    write_file(note, identity_);
  } catch (...) {
    std::error_code kept;
    fs::remove(progress(), kept);
    throw;
  }
}

recipe::RunOptions Promise::run_options(std::uint64_t seed, const std::string& what) const {
  fs::create_directories(progress() / what);
  return {.seed = seed, .quiet = options_.quiet, .checkpoints = progress() / what};
}

void Promise::say(const std::string& line) const {
  if (!options_.quiet) std::cerr << line << (line.ends_with('\n') ? "" : "\n");
}

double Promise::score(const format::PackedModel& model) const {
  const Bytes file = format::write(model);
  if (!of_numbers()) return 1 - error_of(file, *images_.validation);
  return -number_scores(file, *images_.validation, *data_.target).rmse() / float_rmse_;
}

void Promise::announce() {
  const std::int64_t resident = resident_bytes();
  std::size_t next = 1;  // try that has no file yet
  while (fs::exists(progress() / (try_name(next) + ".esp"))) ++next;
  const auto part = [this](const recipe::Recipe& stages, const std::string& what) {
    return recipe::expect([this] { return copy_of(baseline_, images_.train->image_shape()); },
                          *images_.train, stages, progress() / what);
  };
  try {
    recipe::Expected expected = part(passes_, try_name(next));
    if (!before_.stages.empty() && !fs::exists(progress() / kFloatFile)) {
      const recipe::Expected floats = part(before_, kFloat);
      expected.seconds += floats.seconds;
      expected.may_end_early |= floats.may_end_early;
      expected.training_bytes = std::max(expected.training_bytes, floats.training_bytes);
    }
    if (expected.seconds > 0)
      say(std::string("until the ") + (next == 1 ? "first" : "next") + " file " +
          told({.goes_on = goes_on_,
                .seconds = expected.seconds,
                .may_end_early = expected.may_end_early,
                .training_bytes = expected.training_bytes,
                .resident_bytes = resident}));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDiverged) throw;  // the step is the training's own to report
  }
}

void Promise::train_baseline() {
  const Shape input = images_.train->image_shape();
  const fs::path done = progress() / kFloatFile;
  if (fs::exists(done)) {
    set_parameters(baseline_, load_archive(done), done.string());
  } else if (!before_.stages.empty()) {
    run_recipe(baseline_, *images_.train, before_, run_options(options_.seed, kFloat));
    write_file(options_.out / "float.safetensors",
               encode_network(baseline_, input, labels_, table_metadata(data_)));
    write_file(done, read_file(options_.out / "float.safetensors"));
    fs::remove_all(progress() / kFloat);
  }
  const format::PackedModel floats = pack::pack(baseline_, input);
  if (of_numbers()) float_rmse_ = std::max(1e-30, -score(floats));
  whole_ = score(floats);
  const datasets::Dataset& validation = *images_.validation;
  const bool learned =
      of_numbers() ? number_scores(format::write(floats), validation, *data_.target).r2() > 0
                   : !training::is_at_chance(whole_, validation);
  if (!learned) fs::remove_all(progress());  // another recipe is wanted
  require(learned, ErrorKind::kTargetMissed, "compress",
          "the network in float has learned nothing: ", quality(format::write(floats), validation),
          " on ", with_commas(validation.size()),
          " validation examples is no better than one answer to all; begin the recipe with more "
          "training ({\"epochs\": 50}), or is the label the right column?");
  say("the network in float, on " + with_commas(images_.validation->size()) +
      " validation examples: " + quality(format::write(floats), *images_.validation) +
      "; a file may cost " + amount(options_.max_drop / 100));
}

Promise::Try Promise::attempt(const recipe::Recipe& recipe, std::string change) {
  const Shape input = images_.train->image_shape();
  Try one{.change = std::move(change), .recipe = recipe, .file = {}};
  const std::string what = try_name(tries_.size() + 1);
  const fs::path done = progress() / (what + ".esp");
  if (fs::exists(done)) {
    one.file = read_file(done);
    one.bytes = std::ssize(one.file);
    one.score = score(format::read(one.file, done.string()));
    return one;
  }
  Sequential model = copy_of(baseline_, input);
  const auto network = run_recipe(model, *images_.train, recipe,
                                  run_options(options_.seed + before_.stages.size(), what));
  format::PackedModel packed =
      recipe::packed(model, network ? &*network : nullptr, input, recipe, recipe.stages.size() - 1);
  packed.labels = labels_;
  remember_table(packed, data_);
  one.file = format::write(packed);
  one.bytes = std::ssize(one.file);
  one.score = score(packed);
  write_file(done, one.file);
  fs::remove_all(progress() / what);
  return one;
}

void Promise::find_costs(Try& failed) {
  const format::PackedModel compressed = format::read(failed.file, "best.esp");
  const Shape input = images_.train->image_shape();
  Sequential floats = copy_of(baseline_, input);
  bool folds = false;
  for (const recipe::Stage& stage : failed.recipe.stages)
    folds = folds || stage.quantize || stage.rate;
  if (folds) quantize::fold_batch_norm(floats);
  say("which layer costs it: each alone in the network in float");
  failed.costs = recipe::layer_costs(pack::pack(floats, input), compressed,
                                     [this](const format::PackedModel& m) { return score(m); });
}

std::optional<recipe::Relaxed> Promise::next(const Try& failed) {
  const auto sparsities = recipe::layer_sparsities(format::read(failed.file, "best.esp"));
  std::optional<recipe::Relaxed> last;  // where no layer has weights, clusters or bits to return
  for (const auto& [layer, drop] : failed.costs) {
    if (drop <= 0) break;  // what costs nothing alone would be given back for nothing
    auto relaxed = recipe::relaxed(failed.recipe, layer, sparsities, baseline_);
    if (relaxed && !relaxed->to_floats) return relaxed;
    if (!last) last = std::move(relaxed);
  }
  return last;
}

void Promise::run() {
  if (done_) return;
  const auto start = std::chrono::steady_clock::now();
  const auto time_is_up = [&] {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    return spent.count() / 60 >= options_.minutes;
  };
  if (!options_.quiet) announce();
  train_baseline();
  std::optional<recipe::Relaxed> plan = recipe::Relaxed{passes_, "the recipe as it is"};
  while (plan) {
    tries_.push_back(attempt(plan->recipe, plan->change));
    Try& last = tries_.back();
    keep_best();
    say(last.change + ": " + with_commas(last.bytes) + " bytes, costs " + amount(lost(last)));
    if (holds(last)) break;
    find_costs(last);
    plan = next(last);
    out_of_time_ = plan && time_is_up();
    if (out_of_time_) return;  // what there is waits for the next run
  }
  keep_finished();
  fs::remove(progress() / "run.txt");  // first: nobody goes on with what is left
  fs::remove_all(progress());
}

const Promise::Try& Promise::best() const {
  const Try* best = &tries_.front();
  for (const Try& one : tries_) {
    const bool better = holds(one) != holds(*best) ? holds(one)
                        : holds(one)               ? one.bytes < best->bytes
                                                   : one.score > best->score;
    if (better) best = &one;
  }
  return *best;
}

void Promise::keep_best() const {
  write_file(options_.out / "best.esp", best().file);
  recipe::Recipe whole = before_;
  whole.stages.insert(whole.stages.end(), best().recipe.stages.begin(), best().recipe.stages.end());
  write_file(options_.out / "recipe.json", recipe::format_recipe(whole));
}

}  // namespace espalier::apps
