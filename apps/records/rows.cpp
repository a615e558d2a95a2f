#include "apps/records/rows.hpp"

#include <sstream>

#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"

namespace espalier::apps {
namespace {

Sequential lenet5(const std::vector<std::int64_t>& w, Rng& rng) {
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = w[0], .kernel = 5}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("conv2", Conv2d({.in = w[0], .out = w[1], .kernel = 5}, rng))
      .add("relu2", Relu())
      .add("pool2", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 16 * w[1], .out = w[2], .init = Init::kHeNormal}, rng))
      .add("relu3", Relu())
      .add("dense2", Dense({.in = w[2], .out = 10}, rng));
  return model;
}

Sequential lenet300(const std::vector<std::int64_t>& w, Rng& rng) {
  Sequential model;
  model.add("flatten", Flatten())
      .add("dense1", Dense({.in = 784, .out = w[0], .init = Init::kHeNormal}, rng))
      .add("relu1", Relu())
      .add("dense2", Dense({.in = w[0], .out = w[1], .init = Init::kHeNormal}, rng))
      .add("relu2", Relu())
      .add("dense3", Dense({.in = w[1], .out = 10}, rng));
  return model;
}

Sequential tutorial(const std::vector<std::int64_t>& w, Rng& rng) {
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = w[0], .kernel = 3}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 169 * w[0], .out = 10}, rng));
  return model;
}

}  // namespace

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"M1",
       "LeNet-5-Caffe",
       {8, 16, 32},
       0.0100,
       800,
       100,
       128,
       {.lambda = 8e-5f, .learning_rate = 0.05f, .middle_step = 1.5f}},
      {"M2",
       "LeNet-5-Caffe",
       {8, 20, 40},
       0.0080,
       1200,
       120,
       128,
       {.lambda = 4e-5f, .learning_rate = 0.05f, .middle_step = 1.5f}},
      {"M3",
       "LeNet-300-100",
       {64, 32},
       0.0190,
       1600,
       60,
       128,
       {.lambda = 7e-5f, .learning_rate = 0.05f}},
      {"M4",
       "LeNet-5-Caffe",
       {8, 16, 32},
       0.0060,
       2400,
       120,
       128,
       {.lambda = 1.5e-5f, .learning_rate = 0.05f, .middle_step = 1.5f}},
      {"M5",
       "tutorial CNN",
       {6},
       0.0200,
       2000,
       60,
       128,
       {.lambda = 1e-4f, .learning_rate = 0.05f, .middle_step = 1.5f}},
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

std::string settings_of(const Row& row) {
  std::ostringstream out;
  for (std::size_t i = 0; i < row.widths.size(); ++i) out << (i ? "-" : "") << row.widths[i];
  const auto& r = row.rate;
  out << ", " << row.epochs << " epochs, batch " << row.batch_size << ", rate " << r.learning_rate
      << ", lambda " << r.lambda << " (biases x " << r.bias_lambda << "), steps " << r.first_step
      << ' ' << r.middle_step << ' ' << r.last_step << " learned at " << r.step_learning_rate
      << ", biases " << r.bias_step << ", levels to " << r.max_level << ", floor "
      << r.slope_floor_bits << " bits, from " << r.float_until << " ramp " << r.ramp_until
      << " activations " << r.activations_from << " freeze " << r.freeze_at << ", scales "
      << r.scale_bits << " bits, shifts of " << row.shift_pixels;
  if (row.teacher.weight > 0)
    out << ", teacher " << row.teacher.weight << " at " << row.teacher.temperature;
  if (row.descent_images > 0)
    out << ", descent of " << row.descent_rounds << " rounds on " << row.descent_images;
  return out.str();
}

Sequential row_model(const Row& row, std::uint64_t seed) {
  Rng rng(seed, "init");
  if (row.architecture == "LeNet-5-Caffe") return lenet5(row.widths, rng);
  if (row.architecture == "LeNet-300-100") return lenet300(row.widths, rng);
  return tutorial(row.widths, rng);
}

}  // namespace espalier::apps
