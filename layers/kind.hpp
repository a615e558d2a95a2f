// What kind of layer one is, for passes that walk through a model.
#pragma once

#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"

namespace espalier {

template <class... Kinds>
bool is_any(const Layer& layer) {
  return (dynamic_cast<const Kinds*>(&layer) || ...);
}
// Convolution, depthwise or not, or dense: what has a weight to prune and to quantize.
inline bool is_linear(const Layer& layer) {
  return is_any<Conv2d, DepthwiseConv2d, Dense>(layer);
}

}  // namespace espalier
