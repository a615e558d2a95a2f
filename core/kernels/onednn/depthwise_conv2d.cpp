#include "core/kernels/depthwise_conv2d.hpp"

#include "core/kernels/onednn/convolution.hpp"

namespace espalier::kernels::onednn {

Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, const Window& window) {
  return convolve(Channels::kOneEach, x, w, depthwise_shape(x.shape(), w.shape(), window), window);
}

Tensor depthwise_conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const Window& window) {
  require(dy.shape() == depthwise_shape(x_shape, w.shape(), window), "depthwise_conv2d_dx",
          "gradient ", dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  return convolve_dx(Channels::kOneEach, dy, w, x_shape, window);
}

Tensor depthwise_conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                           const Window& window) {
  require(dy.shape() == depthwise_shape(x.shape(), w_shape, window), "depthwise_conv2d_dw",
          "gradient ", dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  return convolve_dw(Channels::kOneEach, x, dy, w_shape, window);
}

}  // namespace espalier::kernels::onednn
