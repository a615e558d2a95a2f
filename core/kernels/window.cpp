#include "core/kernels/window.hpp"

#include <ostream>

#include "core/base/error.hpp"

namespace espalier::kernels {
namespace {

void check(std::string_view op, const Shape& x, const Window& v) {
  require(x.rank() == 4, op, "wants an input [N H W C], got ", x);
  require(v.kernel_h > 0 && v.kernel_w > 0 && v.stride_h > 0 && v.stride_w > 0, op,
          "wants positive kernel and stride, got kernel ", v.kernel_h, "x", v.kernel_w, ", stride ",
          v.stride_h, "x", v.stride_w);
  require(v.pad_top >= 0 && v.pad_left >= 0 && v.pad_bottom >= 0 && v.pad_right >= 0 &&
              v.pad_top < v.kernel_h && v.pad_bottom < v.kernel_h && v.pad_left < v.kernel_w &&
              v.pad_right < v.kernel_w,
          op, "wants padding from 0 to below the kernel's size ", v.kernel_h, "x", v.kernel_w);
  require(x[1] + v.pad_top + v.pad_bottom >= v.kernel_h &&
              x[2] + v.pad_left + v.pad_right >= v.kernel_w,
          op, "the kernel ", v.kernel_h, "x", v.kernel_w, " is larger than the padded input ", x,
          "; use a smaller kernel or same padding");
}

}  // namespace

Shape pooled_shape(const Shape& x, const Window& window) {
  check("pool2d", x, window);
  return {x[0], window.out_h(x[1]), window.out_w(x[2]), x[3]};
}

Shape convolved_shape(const Shape& x, const Shape& w, const Window& window) {
  check("conv2d", x, window);
  require(w.rank() == 4 && w[1] == window.kernel_h && w[2] == window.kernel_w, "conv2d",
          "wants weights [O ", window.kernel_h, " ", window.kernel_w, " I], got ", w);
  require(w[3] == x[3], "conv2d", "input ", x, " has ", x[3], " channels, weights ", w, " want ",
          w[3]);
  return {x[0], window.out_h(x[1]), window.out_w(x[2]), w[0]};
}

Shape depthwise_shape(const Shape& x, const Shape& w, const Window& window) {
  check("depthwise_conv2d", x, window);
  require(w.rank() == 4 && w[1] == window.kernel_h && w[2] == window.kernel_w && w[3] == 1,
          "depthwise_conv2d", "wants weights [C ", window.kernel_h, " ", window.kernel_w,
          " 1], got ", w);
  require(w[0] == x[3], "depthwise_conv2d", "input ", x, " has ", x[3], " channels, weights ", w,
          " want ", w[0]);
  return {x[0], window.out_h(x[1]), window.out_w(x[2]), x[3]};
}

}  // namespace espalier::kernels
