// Trains, prunes and quantizes a network, writes digits.esp, and runs it.
#include <espalier/compress/format/writer.hpp>
#include <espalier/compress/pack/pack.hpp>
#include <espalier/compress/prune/keep_zeros.hpp>
#include <espalier/compress/prune/pruner.hpp>
#include <espalier/compress/quantize/quantization_aware.hpp>
#include <espalier/compress/runtime/session.hpp>
#include <espalier/core/base/file.hpp>
#include <espalier/core/onednn/threads.hpp>
#include <espalier/datasets/synthetic_digits.hpp>
#include <espalier/layers/tutorial_models.hpp>
#include <espalier/optim/training/fit.hpp>
#include <iostream>
using namespace espalier;

int main() {
  set_threads(1);  // more stall where another process wants a core
  const auto [train, test] = datasets::synthetic_digits({.train = 2000, .test = 10});
  Sequential model = small_model(/*seed=*/1);
  training::fit(model, *train, {.epochs = 2});

  prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.8f})});
  training::fit(model, *train, {.epochs = 2}, {&pruner});
  pruner.bake();

  prune::KeepZeros zeros;
  quantize::QuantizationAware integers({.weight_bits = 5});
  training::fit(model, *train, {.learning_rate = 1e-4f}, {&zeros, &integers});
  integers.bake();
  write_file("digits.esp", format::write(pack::pack(integers.network(), train->image_shape())));

  const auto written = runtime::Model::load("digits.esp");
  const Tensor seven = test->get(7).image.reshaped({1, 28, 28, 1});
  std::cout << "logits of a seven: " << written.run(seven) << '\n';
}
