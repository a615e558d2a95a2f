#include "apps/tutorial/lesson.hpp"

#include <algorithm>
#include <future>
#include <iostream>

#include "apps/tutorial/fresh_process.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/model_json.hpp"
#include "layers/summary.hpp"
#include "layers/tutorial_models.hpp"

namespace espalier::apps {

namespace {

// Writes a temporary where a result will stand, so that an unwritable place is an error at once.
void require_writable(const std::filesystem::path& folder, const char* option) {
  const auto probe = folder / ".espalier-probe";
  try {
    write_file(probe, "");
  } catch (const Error& error) {
    fail(ErrorKind::kIo, option, "cannot write into ", folder.string(), " (", error.what(),
         "); choose another place");
  }
  std::filesystem::remove(probe);
}

Sequential model_named(const LessonOptions& options) {
  if (options.model == "small") return small_model(options.seed);
  if (options.model == "large") return large_model(options.seed);
  const std::string close = nearest(options.model, {"small", "large"});
  const bool is_file = options.model.ends_with(".json") || std::filesystem::exists(options.model);
  require(is_file, "--model", "wants small, large or a model.json, got ", options.model,
          close.empty() ? "" : "; did you mean " + close + "?");
  return load_model_json(options.model, {.seed = options.seed}).model;
}

}  // namespace

Lesson::Lesson(LessonOptions options)
    : options_(std::move(options)),
      recipe_(recipe_for(options_.model, options_.seed)),
      stage_begin_(std::chrono::steady_clock::now()) {
  Sequential model = new_model();
  quantize::require_quantizable(model);
  std::error_code failure;
  std::filesystem::create_directories(options_.out, failure);
  require(!failure && std::filesystem::is_directory(options_.out), ErrorKind::kIo,
          options_.out.string(), "cannot create the folder: ", failure.message(),
          "; choose another with --out");
  require_writable(options_.out, "--out");
  for (const char* name : {"baseline.esp", "pruned.esp", "post_training.esp", "quantized.esp"})
    require(!std::filesystem::is_directory(path(name)), ErrorKind::kIo, path(name).string(),
            "is a folder where a file is to be written; choose another --out");
  require(!options_.json || !std::filesystem::is_directory(*options_.json), ErrorKind::kIo,
          options_.json.value_or("").string(), "is a folder; --json names a file");
  if (options_.json &&
      std::filesystem::is_regular_file(*options_.json) == std::filesystem::exists(*options_.json))
    require_writable(std::filesystem::absolute(*options_.json).parent_path(), "--json");

  datasets::TrainTest digits;
  if (auto mnist = datasets::find_or_fetch_mnist(options_.data)) {
    digits = *mnist;
    data_name_ = "MNIST";
  } else {
    digits = datasets::synthetic_digits();
    data_name_ = "synthetic digits, not MNIST";
    say("MNIST was not found (--data, MNIST_DIR, ~/.cache/espalier/mnist; espalier fetch mnist).\n"
        "*** These are built-in synthetic digits, not MNIST. ***\n");
  }
  if (options_.quick) digits.train = datasets::first(digits.train, digits.train->size() / 10);
  constexpr std::int64_t kLeast = 100;
  require(digits.train->size() >= kLeast, ErrorKind::kCorrupt, "the training images", "are ",
          digits.train->size(), ", want at least ", kLeast,
          options_.quick ? "; leave out --quick" : "; give more data");
  Rng rng(options_.seed, "split");
  const auto split = datasets::split(digits.train, digits.train->size() / 10, rng);
  train_ = split.others, validation_ = split.drawn, test_ = digits.test;
  for (auto* fit : {&recipe_.baseline, &recipe_.pruning, &recipe_.quantizing})
    fit->validation = validation_.get();

  input_ = test_->image_shape();
  if (options_.model != "small" && options_.model != "large") {
    const auto file = load_model_json(options_.model);
    require(file.input == input_, options_.model, "/input: the data's images are ", input_,
            ", got ", file.input);
    labels_ = file.labels;
  }
  const Shape output = model.output_shape(input_);
  require(output == Shape{test_->classes()}, options_.model, "the network ends in ", output,
          ", the data has ", test_->classes(), " classes");
  say(summary(model, input_));
}

Sequential Lesson::new_model() const {
  return model_named(options_);
}

prune::Pruner::Options Lesson::pruner(Sequential& model) const {
  return pruner_for(model, recipe_.sparsity);
}

std::filesystem::path Lesson::made(const std::string& file, const std::string& program) const {
  require(std::filesystem::exists(path(file)), ErrorKind::kIo, path(file).string(),
          "is not there yet; run ", program, " first, with the same --model and --out");
  return path(file);
}

Sequential Lesson::copy_of(Sequential& model) const {
  Sequential copy = new_model();
  copy_parameters(model, copy);
  return copy;
}

void Lesson::say(const std::string& text) const {
  std::cerr << text << '\n';
}

void Lesson::write(const std::string& name, Sequential& model) {
  write(name, model, pack::pack(model, input_),
        [&](const Tensor& x) { return model(Variable(x)).value(); });
}

void Lesson::write(const std::string& name, Sequential& model,
                   const quantize::IntegerNetwork& network) {
  write(name, model, pack::pack(network, input_),
        [&](const Tensor& x) { return quantize::evaluate(network, x); });
}

void Lesson::write(const std::string& name, Sequential& model, const format::PackedModel& packed,
                   const std::function<Tensor(const Tensor&)>& trainer_logits) {
  Stage stage{.name = name, .file = path(name + ".esp")};
  format::PackedModel labelled = packed;
  labelled.labels = labels_;
  write_file(stage.file, format::write(labelled));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - stage_begin_;
  stage.seconds = seconds.count();
  stage.raw_bytes = pack::raw_bytes(model);
  stage.deflate_bytes = pack::deflate_bytes(model);
  stage.sparsity = prune::model_sparsity(model);
  measure(stage, *test_, options_.threads, trainer_logits);
  say("   " + stage.file.string() + ": " +
      with_commas(static_cast<std::int64_t>(stage.file_bytes)) + " bytes, " +
      percent(stage.accuracy) + " of the test images right\n");
  require(stage.differing_logits == 0, ErrorKind::kInternal, stage.file.string(),
          stage.differing_logits, " logits differ from the trainer's");
  require(name == "baseline" || stage.sparsity >= recipe_.sparsity, ErrorKind::kTargetMissed,
          stage.file.string(), "should hold ", percent(recipe_.sparsity, 1), " zeros, holds ",
          percent(stage.sparsity, 1), "; prune again (espalier-tutorial-2-prune)");
  stages_.push_back(stage);
  stage_begin_ = std::chrono::steady_clock::now();
}

void Lesson::read_back() {
  std::vector<std::future<FreshResult>> results;  // of processes that know nothing of each other
  for (const Stage& stage : stages_)
    results.push_back(std::async(std::launch::async, evaluate_in_fresh_process, stage.file,
                                 options_.data, data_name_ == "MNIST"));
  Progress progress("read back", std::ssize(stages_), "files");
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    const auto found = results[i].get();
    // Float sums taken in another order may turn an answer that was a draw.
    const double tolerance = stage.name == "baseline" || stage.name == "pruned" ? 0.001 : 0;
    require(found.images == test_->size() &&
                std::abs(found.accuracy - stage.accuracy) <= tolerance &&
                found.differing_logits == 0,
            ErrorKind::kInternal, stage.file.string(), "the trainer finds ", stage.accuracy, " of ",
            test_->size(), " images right, a fresh process ", found.accuracy, " of ", found.images,
            ", with ", found.differing_logits, " logits that differ between its executors");
    check_interrupt("read back");
    stage.accuracy = found.accuracy;
    stage.differing_logits += found.differing_logits;
    progress.update(static_cast<std::int64_t>(i) + 1);
  }
  progress.finish();
}

}  // namespace espalier::apps
