#include "core/kernels/conv2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/onednn/convolution.hpp"

namespace espalier::kernels::onednn {

Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias) {
  const Shape shape = convolved_shape(x.shape(), w.shape(), window);
  check_conv_bias(bias, w.shape());
  return convolve(Channels::kAll, x, w, shape, window, bias);
}

Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x_shape, w.shape(), window), "conv2d_dx", "gradient ",
          dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  return convolve_dx(Channels::kAll, dy, w, x_shape, window);
}

Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x.shape(), w_shape, window), "conv2d_dw", "gradient ",
          dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  return convolve_dw(Channels::kAll, x, dy, w_shape, window);
}

}  // namespace espalier::kernels::onednn
