// espalier eval MODEL.esp: right on how many test images?
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "compress/runtime/compare.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/tensor/argmax.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {
namespace {

struct EvalOptions {
  std::filesystem::path model;
  std::optional<std::filesystem::path> data;
  bool synthetic = false;
  std::string executor = "onednn";
  bool json = false;
};

// Accuracy, and in how many logits the executors differ: of models that have levels in any bit, of
// float models by more than 1e-4 of the image's largest logit (they add in different orders).
void eval(const EvalOptions& options) {
  const auto model = runtime::Model::load(options.model);
  std::optional<datasets::MnistData> data;
  if (!options.synthetic) data = datasets::find_or_fetch_mnist(options.data);
  const bool mnist = data.has_value();
  if (!mnist) data = datasets::synthetic_digits({.train = 1});
  const auto& test = *data->test;

  const auto& shape = model.packed().input_shape;
  require(test.image_shape() == Shape{shape[0], shape[1], shape[2]}, options.model.string(),
          "wants images of ", Shape{shape[0], shape[1], shape[2]}, ", the data's are ",
          test.image_shape());

  Progress progress("eval", test.size(), "images", options.json);
  constexpr std::int64_t kBatch = 100;
  runtime::Session onednn(model, {.batch = kBatch});
  runtime::Session reference(model, {.executor = runtime::Executor::kReference, .batch = kBatch});
  const bool exact = runtime::is_exact(model.packed());
  std::int64_t right = 0, differ = 0, seen = 0;
  datasets::for_each_batch(test, test.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto got = onednn.run(batch.images), wanted = reference.run(batch.images);
    const auto logits = options.executor == "onednn" ? got : wanted;
    const auto answers = argmax_rows(logits, onednn.classes());
    for (std::size_t i = 0; i < answers.size(); ++i) right += answers[i] == batch.labels[i];
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
    differ += runtime::differing_logits(got, wanted, onednn.classes(), exact);
    progress.update(seen += std::ssize(batch.labels));
  });
  progress.finish();
  const double accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  const char* name = mnist ? "MNIST" : "synthetic digits, not MNIST";
  if (options.json) {
    std::cout << nlohmann::json{{"data", name},
                                {"accuracy", accuracy},
                                {"images", test.size()},
                                {"differing_logits", differ}}
                     .dump()
              << '\n';
  } else {
    std::cout << printable(options.model.string()) << ": " << percent(accuracy) << " of "
              << with_commas(test.size()) << " test images right (" << name << "), " << differ
              << " logits differ between the executors" << (exact ? "" : " (by more than a 1e-4th)")
              << '\n';
  }
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  auto* command = app.add_subcommand(
      "eval", "Accuracy of a model on MNIST's test images, or on synthetic digits");
  command->add_option("model", options->model, "An .esp file")->required();
  auto* data =
      command->add_option("--data", options->data,
                          "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                          "~/.cache/espalier/mnist, then one download, then the built-in synthetic "
                          "digits)");
  command->add_flag("--synthetic", options->synthetic, "Use the built-in synthetic digits")
      ->excludes(data);
  command
      ->add_option("--executor", options->executor,
                   "Whose answers count: onednn (fast), or reference (plain loops)")
      ->check(one_of("executor", {"onednn", "reference"}))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one line of JSON");
  command->footer(
      "Both executors run every image, and the logits that differ between them are counted: 0 in\n"
      "any model with integer layers.\n"
      "Examples: espalier eval espalier-out/quantized.esp --data mnist\n"
      "          espalier eval model.esp --json | jq .accuracy");
  command->callback([options] { eval(*options); });
}

}  // namespace espalier::apps
