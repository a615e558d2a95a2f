// The models that the training tests share.
#pragma once

#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"

namespace espalier {

// Everything that keeps state: parameters, running means, a dropout stream.
inline Sequential conv_model(std::uint64_t seed = 1) {
  Rng rng(seed, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("norm1", BatchNorm({.channels = 4}))
      .add("flatten", Flatten())
      .add("dropout", Dropout(0.3f))
      .add("dense", Dense({.in = 676, .out = 10}, rng));
  return model;
}

// A copy of every parameter and state value, in the order of visit().
inline std::vector<float> values_of(Layer& model) {
  std::vector<float> all;
  const auto append = [&](const Tensor& t) {
    all.insert(all.end(), t.values().begin(), t.values().end());
  };
  model.visit({.parameter = [&](const std::string&, Parameter& p) { append(p.latent().value()); },
               .state = [&](const std::string&, Tensor& s) { append(s); }});
  return all;
}

}  // namespace espalier
