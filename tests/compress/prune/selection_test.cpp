#include "compress/prune/selection.hpp"

#include <doctest/doctest.h>

#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/sequential.hpp"

using namespace espalier;

TEST_CASE("selections: by kind, by size, by name; never a bias unless it is named") {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 2, .kernel = 3}, rng))
      .add("dense", Dense({.in = 20, .out = 10}, rng));
  const auto selected = [&](const prune::Selection& select) {
    std::vector<std::string> names;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      if (select(name, p)) names.push_back(name);
    }});
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(selected(prune::weights()) == Names{"conv1.weight", "dense.weight"});
  CHECK(selected(prune::weights_and_biases()) ==
        Names{"conv1.weight", "conv1.bias", "dense.weight", "dense.bias"});
  CHECK(selected(prune::convolution_weights()) == Names{"conv1.weight"});
  CHECK(selected(prune::dense_weights()) == Names{"dense.weight"});
  CHECK(selected(prune::weights_from(18)) == Names{"conv1.weight", "dense.weight"});
  CHECK(selected(prune::weights_from(19)) == Names{"dense.weight"});
  CHECK(selected(prune::named({"conv1"})) == Names{"conv1.weight"});
  CHECK(selected(prune::named({"conv1.bias", "dense"})) == Names{"conv1.bias", "dense.weight"});
  CHECK(selected(prune::named({"conv"})).empty());
}
