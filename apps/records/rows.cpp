#include "apps/records/rows.hpp"

#include "core/base/error.hpp"

namespace espalier::apps {
namespace {

Recipe recipe(std::string network, std::vector<std::int64_t> widths, int epochs, float lambda,
              float middle_step) {
  return {.network = std::move(network),
          .widths = std::move(widths),
          .epochs = epochs,
          .rate = {.lambda = lambda, .learning_rate = 0.05f, .middle_step = middle_step}};
}

}  // namespace

const std::vector<Row>& rows() {
  // A dense network's activations are few: it can afford every training image.
  Recipe dense = recipe("lenet300", {64, 32}, 60, 6e-5f, 1);
  dense.descent_images = 55'000;
  static const std::vector<Row> all = {
      {"M1", "LeNet-5-Caffe", 0.0100, 800, recipe("lenet5", {8, 16, 32}, 200, 8e-5f, 1.5f)},
      {"M2", "LeNet-5-Caffe", 0.0080, 1200, recipe("lenet5", {8, 20, 40}, 200, 4e-5f, 1.5f)},
      {"M3", "LeNet-300-100", 0.0190, 1600, dense},
      {"M4", "LeNet-5-Caffe", 0.0060, 2400, recipe("lenet5", {8, 16, 32}, 200, 1.5e-5f, 1.5f)},
      {"M5", "tutorial CNN", 0.0200, 2000, recipe("tutorial-small", {6}, 60, 1e-4f, 1.5f)},
      // Without the batch norm between its convolutions.
      {"L", "large tutorial CNN", 0.0100, 8000,
       recipe("tutorial-large", {16, 32, 128}, 40, 1e-4f, 1.5f)},
  };
  return all;
}

Row row_named(const std::string& name) {
  std::string known;
  for (const Row& row : rows()) {
    if (row.name == name) return row;
    known += ' ' + row.name;
  }
  fail(ErrorKind::kUsage, "records", "there is no row ", name, "; the rows are", known);
}

}  // namespace espalier::apps
