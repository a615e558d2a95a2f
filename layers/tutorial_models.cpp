#include "layers/tutorial_models.hpp"

#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"

namespace espalier {

Sequential small_model(std::uint64_t seed) {
  Rng rng(seed, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 12, .kernel = 3}, rng))
      .add("conv1_relu", Relu())
      .add("pool1", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 2028, .out = 10}, rng));
  return model;
}

Sequential large_model(std::uint64_t seed) {
  Rng rng(seed, "init");
  const Padding same = Padding::same();
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 32, .kernel = 5, .padding = same}, rng))
      .add("conv1_relu", Relu())
      .add("pool1", MaxPool2d())
      .add("norm1", BatchNorm({.channels = 32}))
      .add("conv2", Conv2d({.in = 32, .out = 64, .kernel = 5, .padding = same}, rng))
      .add("conv2_relu", Relu())
      .add("pool2", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 3136, .out = 1024}, rng))
      .add("dense1_relu", Relu())
      .add("dropout", Dropout(0.4f))
      .add("dense2", Dense({.in = 1024, .out = 10}, rng));
  return model;
}

}  // namespace espalier
