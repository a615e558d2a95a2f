// First values of weights [OUT x IN], [O H W I], or [C H W 1] of a depthwise convolution.
// fan_in = H W I, fan_out = H W O; of depthwise H W, and H W C as PyTorch counts it.
#pragma once

#include "core/base/rng.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier {

enum class Init {
  kHeNormal,       // normal, variance 2 / fan_in (He et al. 2015, eq. 10): before a ReLU
  kGlorotUniform,  // uniform, +- sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16)
};

// Errors: fewer than two axes, or an empty one.
Tensor initial_weights(Init init, Shape shape, Rng& rng);

}  // namespace espalier
