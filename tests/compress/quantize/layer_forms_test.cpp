#include "compress/quantize/layer_forms.hpp"

#include <doctest/doctest.h>

#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"

using namespace espalier;
using namespace espalier::quantize;

namespace {

class Strange final : public Layer {
 public:
  std::string describe() const override { return "Strange()"; }
  Shape output_shape(const Shape& input) const override { return input; }

 private:
  Variable forward(const Variable& x, const ForwardContext&) override { return x; }
};

Sequential network() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("pool1", MaxPool2d())
      .add("norm", BatchNorm({.channels = 4}))
      .add("conv2", Conv2d({.in = 4, .out = 10, .kernel = 3}, rng))
      .add("relu2", Relu())
      .add("pool2", AveragePool2d())
      .add("flatten", Flatten());
  return model;
}

// One letter a layer: i integer, f float; with an output grid it is a capital.
std::string letters(const LayerForms& forms) {
  std::string text(1, forms.input_grid ? '>' : '-');
  for (const LayerForm& f : forms.layers)
    text += f.integer ? (f.output_grid ? 'I' : 'i') : (f.output_grid ? 'F' : 'f');
  return text;
}

}  // namespace

TEST_CASE("levels flow from integer layer to integer layer, floats around what stays in float") {
  const Sequential model = network();
  CHECK(letters(layer_forms(model)) == ">IIIifff");
  CHECK(letters(layer_forms(model, {"conv1"})) == "-FIIifff");
  CHECK(letters(layer_forms(model, {"norm"})) == ">ifFifff");
  // In front of a float layer batch norm has no grid to round to.
  CHECK(letters(layer_forms(model, {"conv2"})) == ">iffffff");
  CHECK(letters(layer_forms(model, {"conv1", "conv2"})) == "-fffffff");
}

TEST_CASE("the report names what stays in float, and why") {
  const Sequential model = network();
  const auto report = layer_forms(model, {"conv2"}).report;
  REQUIRE(report.size() == 3);
  CHECK(report[0].name == "norm");
  CHECK(!report[0].asked);
  CHECK(report[0].reason == "no integer layer follows this batch norm");
  CHECK(report[1].name == "conv2");
  CHECK(report[1].layer == model.layers()[3].layer->describe());
  CHECK(report[1].asked);
  CHECK(report[2].name == "pool2");

  Rng rng(1, "init");
  Sequential strange;
  strange.add("flatten", Flatten()).add("layer7", Strange());
  strange.add("dense", Dense({.in = 784, .out = 10}, rng)).add("dropout", Dropout(0.1f));
  const auto forms = layer_forms(strange);
  CHECK(letters(forms) == "-fFif");
  REQUIRE(forms.report.size() == 1);
  CHECK(forms.report[0].layer == "Strange()");
  CHECK(forms.report[0].reason == "its kind has no integer form");
}

TEST_CASE("a name of no layer that could be one of integers is refused") {
  for (const char* name : {"conv3", "flatten", "pool2"})
    CHECK_THROWS_WITH_AS(layer_forms(network(), {name}), doctest::Contains(name), Error);
}
