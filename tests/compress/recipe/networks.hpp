// A small network of digits, and how a stage of a recipe trains it.
#pragma once

#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

namespace espalier::tests {

struct NetworkOptions {
  std::uint64_t seed = 1;
  std::int64_t filters = 6, classes = 10;
};

// [28 28 1] to `classes`: a strided convolution, relu, dense.
inline Sequential small_network(const NetworkOptions& o = {}) {
  Rng rng(o.seed, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = o.filters, .kernel = 5, .stride = 3}, rng))
      .add("relu", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 64 * o.filters, .out = o.classes}, rng));
  return model;
}

// As a stage with these settings trains.
inline training::FitOptions fit_options(int epochs, float rate, std::uint64_t seed) {
  return {.epochs = epochs,
          .batch_size = 128,
          .learning_rate = rate,
          .schedule = optim::cosine(),
          .seed = seed,
          .quiet = true};
}

}  // namespace espalier::tests
