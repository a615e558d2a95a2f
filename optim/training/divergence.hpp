// After a loss or gradient that is not finite: where it began.
#pragma once

#include <string>

#include "layers/layer.hpp"

namespace espalier::training {

// What is first not finite, of: the images, a parameter, a layer's output (the batch is run again,
// layer by layer, drawing from a copy of `rng`), a gradient (the one nearest to the loss). As a
// phrase: "the output of layer conv1". Slow, and it may move batch norm's running statistics: the
// run is over.
std::string origin_of_divergence(Layer& model, const Tensor& images, Rng rng);

}  // namespace espalier::training
