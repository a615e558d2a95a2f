#include "apps/records/rows.hpp"

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
      {"M1", "LeNet-5-Caffe", {8, 16, 32}, 0.0100, 800, 60, 128, {.lambda = 1e-5f}},
      {"M2", "LeNet-5-Caffe", {8, 20, 40}, 0.0080, 1200, 60, 128, {.lambda = 1e-5f}},
      {"M3", "LeNet-300-100", {64, 32}, 0.0190, 1600, 60, 128, {.lambda = 1e-5f}},
      {"M4", "LeNet-5-Caffe", {8, 16, 32}, 0.0060, 2400, 60, 128, {.lambda = 2e-6f}},
      {"M5", "tutorial CNN", {8}, 0.0200, 2000, 40, 128, {.lambda = 1e-5f}},
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

Sequential row_model(const Row& row, std::uint64_t seed) {
  Rng rng(seed, "init");
  if (row.architecture == "LeNet-5-Caffe") return lenet5(row.widths, rng);
  if (row.architecture == "LeNet-300-100") return lenet300(row.widths, rng);
  return tutorial(row.widths, rng);
}

}  // namespace espalier::apps
