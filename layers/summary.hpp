// What a model holds and costs, as Keras's model.summary() prints it.
#pragma once

#include <string>

#include "layers/sequential.hpp"

namespace espalier {

struct ParameterCount {
  std::int64_t trainable = 0;
  std::int64_t non_trainable = 0;  // state: batch norm's running mean and variance
  std::int64_t total() const { return trainable + non_trainable; }
};
ParameterCount count_parameters(Layer& layer);

// A table of layer (kind), output shape of one example, parameters and multiply-accumulates (MACs)
// of one example; then the totals, with their size in float32. `input` is [H W C] or [F], without
// the batch axis. Errors: a layer does not fit its input.
std::string summary(Sequential& model, const Shape& input);

}  // namespace espalier
