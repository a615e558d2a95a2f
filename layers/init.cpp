#include "layers/init.hpp"

#include <cmath>

namespace espalier {

Tensor initial_weights(Init init, Shape shape, Rng& rng) {
  require(shape.rank() >= 2 && shape.elements() > 0, "initial_weights",
          "wants at least two axes, none empty, got ", shape);
  const auto fan_in = static_cast<float>(shape.elements() / shape[0]);
  const auto fan_out = static_cast<float>(shape.elements() / shape[-1]);
  Tensor weights(shape);
  if (init == Init::kHeNormal) {
    const float deviation = std::sqrt(2 / fan_in);
    for (float& w : weights.mutable_values()) w = deviation * rng.normal();
  } else {
    const float limit = std::sqrt(6 / (fan_in + fan_out));
    for (float& w : weights.mutable_values()) w = rng.uniform(-limit, limit);
  }
  return weights;
}

}  // namespace espalier
