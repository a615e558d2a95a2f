// espalier eval MODEL.esp: right on how many test images?
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/model_input.hpp"
#include "apps/common/number_scores.hpp"
#include "apps/common/words.hpp"
#include "apps/espalier/class_scores.hpp"
#include "apps/espalier/commands.hpp"
#include "compress/runtime/compare.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/progress.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/tensor/argmax.hpp"

namespace espalier::apps {
namespace {

struct EvalOptions {
  std::filesystem::path model;
  DataOptions data;
  std::string executor = "plan";  // or "onednn", its former name
  bool all = false, confusion = false, json = false, quiet = false;
};

struct Found {
  ClassScores classes;
  NumberScores numbers = {};
  std::int64_t examples = 0, differ = 0;
  double accuracy() const {
    return static_cast<double>(classes.right()) / static_cast<double>(examples);
  }
};

// A number as the table has it, from what the network sees or says.
double in_units(const datasets::Scaling& target, float value) {
  return double{target.mean} + double{target.deviation} * double{value};
}

std::vector<const datasets::Dataset*> parts_of(const TrainingData& data, bool all) {
  if (all) return {data.data.train.get(), data.data.test.get()};
  return {data.data.test.get()};
}

nlohmann::json report_json(const Found& found, const EvalOptions& options,
                           const TrainingData& data) {
  nlohmann::json all{
      {"data", data.name}, {"images", found.examples}, {"differing_logits", found.differ}};
  if (data.target)
    all.update({{"rmse", found.numbers.rmse()}, {"r2", found.numbers.r2()}});
  else
    all["accuracy"] = found.accuracy();
  if (options.confusion) all.update(found.classes.json());
  return all;
}

void print_report(const Found& found, const EvalOptions& options, const TrainingData& data,
                  bool exact) {
  std::cout << printable(options.model.string()) << ": ";
  const std::string of = with_commas(found.examples) + (options.all ? " " : " test ");
  if (data.target)
    std::cout << "RMSE " << found.numbers.rmse() << ", R2 " << fixed(found.numbers.r2(), 4)
              << " on " << of << "rows (";
  else
    std::cout << percent(found.accuracy()) << " of " << of << data.examples() << " right (";
  std::cout << printable(data.name) << "), " << found.differ
            << " logits differ between the executors" << (exact ? "" : " (by more than a 1e-4th)")
            << '\n';
  if (options.confusion)
    std::cout << found.classes.text(data.examples(), terminal_width(STDOUT_FILENO));
}

// Accuracy, or the error of predicted numbers, and in how many logits the executors differ: of
// models that have levels in any bit, of float models by more than 1e-4 of the image's largest logit
// (they add in different orders).
void eval(const EvalOptions& options) {
  const auto model = runtime::Model::load(options.model);
  DataOptions wanted = options.data;
  wanted.quiet = options.json || options.quiet;
  const TrainingData data = load_data_for(input_of(options.model.string(), model.packed()), wanted);
  require(!options.confusion || !data.target, "--confusion",
          "is a matter of classes; this model predicts numbers");

  constexpr std::int64_t kBatch = 100;
  runtime::Session plan(model, {.batch = kBatch});
  runtime::Session reference(model, {.executor = runtime::Executor::kReference, .batch = kBatch});
  const bool exact = runtime::is_exact(model.packed());
  Found found{.classes =
                  ClassScores(plan.classes(),
                              model.packed().labels.empty() ? data.labels : model.packed().labels)};
  if (options.confusion) found.classes.require_counts();
  const auto parts = parts_of(data, options.all);
  std::int64_t total = 0;
  for (const auto* part : parts) total += part->size();
  Progress progress("eval", total, data.examples(), wanted.quiet);
  for (const auto* part : parts)
    datasets::for_each_batch(*part, part->size(), kBatch, [&](const datasets::Batch& batch) {
      const auto got = plan.run(batch.images), other = reference.run(batch.images);
      const auto logits = options.executor == "reference" ? other : got;
      require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
              ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
      if (data.target)
        for (std::size_t i = 0; i < batch.targets.size(); ++i)
          found.numbers.add(in_units(*data.target, logits[i]),
                            in_units(*data.target, batch.targets[i]));
      else
        found.classes.add(argmax_rows(logits, plan.classes()), batch.labels);
      found.differ += runtime::differing_logits(got, other, plan.classes(), exact);
      progress.update(found.examples += std::ssize(batch.labels));
    });
  progress.finish();
  if (options.json)
    std::cout << report_json(found, options, data)
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  else
    print_report(found, options, data, exact);
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  auto* command =
      app.add_subcommand("eval", "Accuracy of a model on the test images of MNIST or of own data");
  command->add_option("model", options->model, "An .esp file")->required();
  add_data_options(*command, options->data);
  command
      ->add_option("--executor", options->executor,
                   "Whose answers count: plan (fast), or reference (plain loops)")
      ->check(one_of("executor", {"plan", "reference", "onednn"}))
      ->capture_default_str();
  command->add_flag("--all", options->all,
                    "Of the data's training part, too: data that the model has not seen");
  command->add_flag("--confusion", options->confusion,
                    "Also how many of each class are right, and what the others were taken for");
  command->add_flag("--json", options->json, "Print one line of JSON");
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer(
      "Both executors run every image, and the logits that differ between them are counted: 0 in\n"
      "any model with integer layers.\n"
      "Pictures of a folder are resized, and made grey, as the model wants them; a CSV file's\n"
      "columns are scaled as they were in training. A model of numbers has its root mean squared\n"
      "error and R2 in place of the accuracy.\n"
      "Examples: espalier eval espalier-out/quantized.esp --data mnist\n"
      "          espalier eval model.esp --data shapes --confusion\n"
      "          espalier eval model.esp --data new.csv --all --json | jq .accuracy");
  command->callback([options] { eval(*options); });
}

}  // namespace espalier::apps
