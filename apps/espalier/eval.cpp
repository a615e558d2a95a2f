#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/espalier/commands.hpp"
#include "compress/runtime/compare.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {
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
  const bool exact = !model.packed().input.is_float();
  const auto k = static_cast<std::size_t>(onednn.classes());
  std::int64_t right = 0, differ = 0;
  for (std::int64_t begin = 0; begin < test.size(); begin += kBatch) {
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min(kBatch, test.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const auto batch = datasets::collate(test, indices);
    const auto got = onednn.run(batch.images), wanted = reference.run(batch.images);
    const auto logits = options.executor == runtime::Executor::kOneDnn ? got : wanted;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto row = logits.subspan(i * k, k);
      right += std::max_element(row.begin(), row.end()) - row.begin() == batch.labels[i];
    }
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, options.model.string(), "gives logits that are not finite");
    differ += runtime::differing_logits(got, wanted, onednn.classes(), exact);
    progress.update(begin + kBatch);
  }
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
    std::cout << options.model.string() << ": " << percent(accuracy) << " of "
              << with_commas(test.size()) << " test images right (" << name << "), " << differ
              << " logits differ between the executors" << (exact ? "" : " (by more than a 1e-4th)")
              << '\n';
  }
}

}  // namespace espalier::apps
