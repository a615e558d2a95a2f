#include "optim/training/training_bytes.hpp"

#include <algorithm>

#include "datasets/batch_loader.hpp"
#include "layers/flatten.hpp"
#include "layers/summary.hpp"

namespace espalier::training {

std::int64_t training_bytes(Sequential& model, const Shape& input,
                            const TrainingBytesOptions& options) {
  require(options.batch_size >= 1, "training_bytes", "wants a batch of at least 1, got ",
          options.batch_size);
  constexpr std::int64_t kOfAParameter = 4;  // value, gradient, two states of the optimizer
  constexpr std::int64_t kMaskAndEffective = 2;
  const std::int64_t bytes = options.batch_size * input.elements() * std::int64_t{sizeof(float)};
  const std::int64_t batches = datasets::batches_ahead(bytes) + 2;  // one is used, one is made
  const auto shapes = model.stage_shapes(input);
  std::int64_t outputs = 0, most = 0;  // of one example
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    if (dynamic_cast<const Flatten*>(model.layers()[i].layer.get())) continue;  // another view
    outputs += shapes[i + 1].elements();
    most = std::max(most, shapes[i + 1].elements() + shapes[model.input_stage(i)].elements());
  }
  if (options.transformed) outputs *= 2;
  const std::int64_t split = options.parts > 1 ? 1 : 0, further = options.parts - 1;
  const std::int64_t example = outputs + most + (batches + split) * input.elements();
  const std::int64_t parameter =
      kOfAParameter + further + (options.transformed ? kMaskAndEffective + further : 0);
  const std::int64_t floats =
      count_parameters(model).total() * parameter + options.batch_size * example;
  return static_cast<std::int64_t>(sizeof(float)) * (floats + floats / 4);
}

}  // namespace espalier::training
