// y[n,p,q,o] = bias[o] + sum over i,j,c of x[n, p*stride_h - pad_top + i, q*stride_w - pad_left + j, c]
// w[o,i,j,c] (cross-correlation, as every framework calls convolution; outside of the image x is 0)
// x: [N H W C]   w: [O KH KW C]   bias: [O], or undefined for none   y: [N OH OW O]
// dx: y's gradient scattered back through w;   dw: x correlated with y's gradient. float32.
// Errors: kUsage, naming the shapes, when they do not fit; a window larger than its padded image.
#pragma once

#include "core/kernels/window.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

namespace reference {
Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias = {});
Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window);
Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window);
}  // namespace reference
namespace onednn {
Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias = {});
Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window);
Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window);
}  // namespace onednn
namespace loops {
// Forward alone, of few input channels, where the processor has vectors that we have loops for:
// convolves() says so.
bool convolves(const Shape& x, const Shape& w, const Window& window);
Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias = {});
}  // namespace loops
namespace sparse {
// Skip the zeros of dy.
Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window);
Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window);
}  // namespace sparse
// The twin that the channels and dy's share of zeros call for (choice.cpp).
Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias = {});
Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window);
Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window);

}  // namespace espalier::kernels
