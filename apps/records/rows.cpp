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
  static const std::vector<Row> all = [] {
    Row m1{"M1", "LeNet-5-Caffe", 0.0100, 800, recipe("lenet5", {8, 16, 32}, 200, 5.3e-5f, 1.5f)};
    m1.recipe.descent_lambda = 4e-5f;
    m1.recipe.descent_rounds = 1, m1.recipe.descent_growing_rounds = 0;
    Row m3{"M3", "LeNet-300-100", 0.0190, 1600, recipe("lenet300", {64, 32}, 60, 4.6e-5f, 1)};
    m3.recipe.descent_images = 55'000;  // a dense network's activations are few
    Row m5{"M5", "tutorial CNN", 0.0200, 2000, recipe("tutorial-small", {6}, 60, 6e-5f, 1.5f)};
    m5.recipe.descent_images = 0;
    Row m2{"M2", "LeNet-5-Caffe", 0.0080, 1200, recipe("lenet5", {8, 20, 40}, 200, 2.5e-5f, 1.5f)};
    m2.recipe.descent_images = 0;
    Row m4{"M4", "LeNet-5-Caffe", 0.0060, 2400, recipe("lenet5", {8, 24, 56}, 200, 5.5e-6f, 1.5f)};
    m4.recipe.descent_images = 0;
    m4.recipe.teachers = 3;
    Row large{"L", "large tutorial CNN", 0.0100, 8000,
              recipe("tutorial-large", {16, 32, 128}, 20, 8e-5f, 1.5f)};  // without batch norm
    large.recipe.descent_images = 0;
    return std::vector<Row>{m1, m2, m3, m4, m5, large};
  }();
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
