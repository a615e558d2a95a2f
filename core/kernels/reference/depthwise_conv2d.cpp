#include "core/kernels/depthwise_conv2d.hpp"

#include "core/kernels/reference/taps.hpp"

namespace espalier::kernels::reference {

Tensor depthwise_conv2d(const Tensor& x, const Tensor& w, const Window& window) {
  Tensor y(depthwise_shape(x.shape(), w.shape(), window));
  const std::int64_t channels = w.shape()[0], taps = window.kernel_h * window.kernel_w;
  const float *px = x.data(), *pw = w.data();
  float* py = y.mutable_data();
  for_each_tap(x.shape(), y.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t c = 0; c < channels; ++c)
      py[y_pixel * channels + c] += px[x_pixel * channels + c] * pw[c * taps + tap];
  });
  return y;
}

Tensor depthwise_conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const Window& window) {
  require(dy.shape() == depthwise_shape(x_shape, w.shape(), window), "depthwise_conv2d_dx",
          "gradient ", dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  Tensor dx(x_shape);
  const std::int64_t channels = w.shape()[0], taps = window.kernel_h * window.kernel_w;
  const float *pdy = dy.data(), *pw = w.data();
  float* pdx = dx.mutable_data();
  for_each_tap(x_shape, dy.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t c = 0; c < channels; ++c)
      pdx[x_pixel * channels + c] += pdy[y_pixel * channels + c] * pw[c * taps + tap];
  });
  return dx;
}

Tensor depthwise_conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                           const Window& window) {
  require(dy.shape() == depthwise_shape(x.shape(), w_shape, window), "depthwise_conv2d_dw",
          "gradient ", dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  Tensor dw(w_shape);
  const std::int64_t channels = w_shape[0], taps = window.kernel_h * window.kernel_w;
  const float *px = x.data(), *pdy = dy.data();
  float* pdw = dw.mutable_data();
  for_each_tap(x.shape(), dy.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t c = 0; c < channels; ++c)
      pdw[c * taps + tap] += pdy[y_pixel * channels + c] * px[x_pixel * channels + c];
  });
  return dw;
}

}  // namespace espalier::kernels::reference
