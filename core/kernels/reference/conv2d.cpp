#include "core/kernels/conv2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/reference/taps.hpp"

namespace espalier::kernels::reference {

Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias) {
  Tensor y(convolved_shape(x.shape(), w.shape(), window));
  check_conv_bias(bias, w.shape());
  const std::int64_t outputs = w.shape()[0], inputs = w.shape()[3],
                     taps = window.kernel_h * window.kernel_w;
  const float *px = x.data(), *pw = w.data();
  float* py = y.mutable_data();
  if (bias.defined())
    for (std::int64_t i = 0; i < y.elements(); ++i) py[i] = bias.data()[i % outputs];
  for_each_tap(x.shape(), y.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t c = 0; c < inputs; ++c)
        py[y_pixel * outputs + o] += px[x_pixel * inputs + c] * pw[(o * taps + tap) * inputs + c];
  });
  return y;
}

Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x_shape, w.shape(), window), "conv2d_dx", "gradient ",
          dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  Tensor dx(x_shape);
  const std::int64_t outputs = w.shape()[0], inputs = w.shape()[3],
                     taps = window.kernel_h * window.kernel_w;
  const float *pdy = dy.data(), *pw = w.data();
  float* pdx = dx.mutable_data();
  for_each_tap(x_shape, dy.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t c = 0; c < inputs; ++c)
        pdx[x_pixel * inputs + c] += pdy[y_pixel * outputs + o] * pw[(o * taps + tap) * inputs + c];
  });
  return dx;
}

Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x.shape(), w_shape, window), "conv2d_dw", "gradient ",
          dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  Tensor dw(w_shape);
  const std::int64_t outputs = w_shape[0], inputs = w_shape[3],
                     taps = window.kernel_h * window.kernel_w;
  const float *px = x.data(), *pdy = dy.data();
  float* pdw = dw.mutable_data();
  for_each_tap(x.shape(), dy.shape(), window, [&](auto y_pixel, auto x_pixel, auto tap) {
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t c = 0; c < inputs; ++c)
        pdw[(o * taps + tap) * inputs + c] += pdy[y_pixel * outputs + o] * px[x_pixel * inputs + c];
  });
  return dw;
}

}  // namespace espalier::kernels::reference
