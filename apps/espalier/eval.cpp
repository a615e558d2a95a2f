#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/espalier/commands.hpp"
#include "compress/runtime/model.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/mnist.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {

void eval(const EvalOptions& options) {
  set_threads(1);
  const auto model = runtime::Model::load(options.model);
  std::optional<datasets::MnistData> data;
  if (!options.synthetic) data = datasets::load_mnist(options.data);
  const bool mnist = data.has_value();
  if (!mnist) data = datasets::synthetic_digits({.train = 1});
  const auto& test = *data->test;

  Progress progress("eval", test.size(), "images", options.json);
  std::int64_t right = 0;
  constexpr std::int64_t kBatch = 100;
  for (std::int64_t begin = 0; begin < test.size(); begin += kBatch) {
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min(kBatch, test.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const auto batch = datasets::collate(test, indices);
    const Tensor logits = model.run(batch.images);
    const std::int64_t k = logits.shape()[1];
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const float* row = logits.data() + static_cast<std::int64_t>(i) * k;
      right += std::max_element(row, row + k) - row == batch.labels[i];
    }
    progress.update(begin + kBatch);
  }
  progress.finish();
  const double accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  const char* name = mnist ? "MNIST" : "synthetic digits, not MNIST";
  if (options.json) {
    std::cout
        << nlohmann::json{{"data", name}, {"accuracy", accuracy}, {"images", test.size()}}.dump()
        << '\n';
  } else {
    std::cout << options.model.string() << ": " << percent(accuracy) << " of "
              << with_commas(test.size()) << " test images right (" << name << ")\n";
  }
}

}  // namespace espalier::apps
