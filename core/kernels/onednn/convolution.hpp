// What convolutions of all channels and depthwise ones share in oneDNN, which takes the second for
// one of as many groups as channels: they differ in how the weights lie.
#pragma once

#include "core/kernels/window.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {

enum class Channels {
  kAll,      // weights [O KH KW C]
  kOneEach,  // weights [C KH KW 1]
};

// `shape`: what the missing tensor has, which the caller has checked.
Tensor convolve(Channels channels, const Tensor& x, const Tensor& w, const Shape& shape,
                const Window& window, const Tensor& bias = {});
Tensor convolve_dx(Channels channels, const Tensor& dy, const Tensor& w, const Shape& shape,
                   const Window& window);
Tensor convolve_dw(Channels channels, const Tensor& x, const Tensor& dy, const Shape& shape,
                   const Window& window);

}  // namespace espalier::kernels::onednn
