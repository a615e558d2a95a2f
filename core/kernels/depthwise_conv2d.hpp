// Convolution of each channel with a kernel of its own (Howard et al. 2017, "MobileNets", eq. 3):
// y[n,p,q,c] = sum over i,j of x[n, p*stride_h - pad_top + i, q*stride_w - pad_left + j, c]
// w[c,i,j,0] (cross-correlation; outside of the image x is 0)
// x: [N H W C]   w: [C KH KW 1]   y: [N OH OW C]
// dx: y's gradient scattered back through w;   dw: x correlated with y's gradient. float32.
// Errors: kUsage, naming the shapes, when they do not fit; a window larger than its padded image.
#pragma once

#include "core/kernels/window.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

namespace reference {
Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, const Window& window);
Tensor depthwise_conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const Window& window);
Tensor depthwise_conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                           const Window& window);
}  // namespace reference
namespace onednn {
Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, const Window& window);
Tensor depthwise_conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const Window& window);
Tensor depthwise_conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                           const Window& window);
}  // namespace onednn
using onednn::depthwise_conv2d;
using onednn::depthwise_conv2d_dw;
using onednn::depthwise_conv2d_dx;

}  // namespace espalier::kernels
