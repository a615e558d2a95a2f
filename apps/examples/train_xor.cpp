// Train a network on XOR, the smallest problem that wants a hidden layer. The whole loop is here;
// training::fit (optim/training/fit.hpp) is the same with batches, epochs, passes and checkpoints.
#include <iostream>

#include "core/ops/ops.hpp"
#include "layers/dense.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"
#include "optim/optimizer.hpp"
#include "optim/training/evaluate.hpp"

using namespace espalier;

int main() {
  const Tensor inputs = Tensor::from({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1});
  const std::vector<int> labels = {0, 1, 1, 0};

  Rng rng(1, "init");
  Sequential model;
  model.add("hidden", Dense({.in = 2, .out = 8, .init = Init::kHeNormal}, rng))
      .add("relu", Relu())
      .add("output", Dense({.in = 8, .out = 2}, rng));
  std::cout << model.describe() << '\n';

  std::vector<Variable> parameters;
  model.visit({.parameter = [&](const std::string&, Parameter& parameter) {
    parameters.push_back(parameter.latent());
  }});
  optim::Adam optimizer(parameters, {.learning_rate = 0.05f});
  for (int step = 1; step <= 100; ++step) {
    const Variable loss = ops::cross_entropy(model(Variable(inputs)), labels);
    optimizer.clear_gradients();
    backward(loss);
    optimizer.step();
    if (step % 25 == 0) std::cout << "step " << step << ": loss " << loss.value().item() << '\n';
  }

  const auto answers = training::predictions(model(Variable(inputs)).value());
  for (std::size_t i = 0; i < 4; ++i)
    std::cout << i / 2 << " xor " << i % 2 << " = " << answers[i] << '\n';
  return answers == labels ? 0 : 1;
}
