// The two networks of TensorFlow Model Optimization's MNIST tutorials, for images [28 28 1].
#pragma once

#include "layers/sequential.hpp"

namespace espalier {

// conv 12 3x3, relu, max pool 2, dense 10: 20,410 parameters.
Sequential small_model(std::uint64_t seed);

// The pruning tutorial of 2019: conv 32 5x5 same, relu, max pool 2, batch norm, conv 64 5x5 same,
// relu, max pool 2, dense 1024, relu, dropout 0.4, dense 10. Keras counts 3,274,762 parameters: 64
// of them are batch norm's running mean and variance, which are not trained.
Sequential large_model(std::uint64_t seed);

}  // namespace espalier
