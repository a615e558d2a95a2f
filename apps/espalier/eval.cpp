// espalier eval MODEL.esp: right on how many test images?
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/data_options.hpp"
#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "compress/runtime/compare.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/tensor/argmax.hpp"

namespace espalier::apps {
namespace {

struct EvalOptions {
  std::filesystem::path model;
  DataOptions data;
  std::string executor = "plan";  // or "onednn", its former name
  bool json = false, quiet = false;
};

// Accuracy, and in how many logits the executors differ: of models that have levels in any bit, of
// float models by more than 1e-4 of the image's largest logit (they add in different orders).
void eval(const EvalOptions& options) {
  const auto model = runtime::Model::load(options.model);
  DataOptions wanted = options.data;
  wanted.quiet = options.json || options.quiet;
  const TrainingData data = load_data_for(
      {options.model.string(), model.packed().input_shape, model.packed().labels}, wanted);
  const auto& test = *data.data.test;

  Progress progress("eval", test.size(), "images", wanted.quiet);
  constexpr std::int64_t kBatch = 100;
  runtime::Session plan(model, {.batch = kBatch});
  runtime::Session reference(model, {.executor = runtime::Executor::kReference, .batch = kBatch});
  const bool exact = runtime::is_exact(model.packed());
  std::int64_t right = 0, differ = 0, seen = 0;
  datasets::for_each_batch(test, test.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto got = plan.run(batch.images), wanted = reference.run(batch.images);
    const auto logits = options.executor == "reference" ? wanted : got;
    const auto answers = argmax_rows(logits, plan.classes());
    for (std::size_t i = 0; i < answers.size(); ++i) right += answers[i] == batch.labels[i];
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
    differ += runtime::differing_logits(got, wanted, plan.classes(), exact);
    progress.update(seen += std::ssize(batch.labels));
  });
  progress.finish();
  const double accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  if (options.json) {
    std::cout << nlohmann::json{{"data", data.name},
                                {"accuracy", accuracy},
                                {"images", test.size()},
                                {"differing_logits", differ}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  } else {
    std::cout << printable(options.model.string()) << ": " << percent(accuracy) << " of "
              << with_commas(test.size()) << " test images right (" << printable(data.name) << "), "
              << differ << " logits differ between the executors"
              << (exact ? "" : " (by more than a 1e-4th)") << '\n';
  }
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
  command->add_flag("--json", options->json, "Print one line of JSON");
  command->add_flag("-q,--quiet", options->quiet, "No progress");
  command->footer(
      "Both executors run every image, and the logits that differ between them are counted: 0 in\n"
      "any model with integer layers.\n"
      "Pictures of a folder are resized, and made grey, as the model wants them.\n"
      "Examples: espalier eval espalier-out/quantized.esp --data mnist\n"
      "          espalier eval model.esp --json | jq .accuracy");
  command->callback([options] { eval(*options); });
}

}  // namespace espalier::apps
