#include "core/kernels/pool2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/loops/pool_windows.hpp"
#include "core/onednn/isa.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::loops {
namespace {

// Calls visit(the input's offset, the output's) for each row of windows; threads share the rows.
template <class Visit>
void for_each_row(const Shape& x, const Shape& y, const Window& v, const Visit& visit) {
  const double bytes =
      4 * static_cast<double>(x.elements()) + 5 * static_cast<double>(y.elements());
  in_parallel(y[0] * y[1], kWorkOfByte * bytes, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t n = row / y[1], p = row % y[1];
      visit((n * x[1] + p * v.kernel_h) * x[2] * x[3], row * y[2] * y[3]);
    }
  });
}

Tiling tiling(const Shape& x, const Shape& y, const Window& v, bool relu) {
  require(pools(v), ErrorKind::kInternal, "max_pool2d", "has no loops for this window");
  return {v.kernel_h, v.kernel_w, x[2] * x[3], x[3], y[2], relu};
}

// The workspace holds each maximum's pixel within its window (uint8).
MaxPool2dResult pooled(const Tensor& x, const Window& window, bool relu) {
  const Shape shape = pooled_shape(x.shape(), window);
  const Tiling t = tiling(x.shape(), shape, window, relu);
  MaxPool2dResult r{Tensor::uninitialized(shape), Tensor::uninitialized(shape, DType::kUint8)};
  const float* from = x.data();
  float* y = r.y.mutable_data();
  auto* where = r.workspace.mutable_data<std::uint8_t>();
  for_each_row(x.shape(), shape, window, [&](std::int64_t in, std::int64_t out) {
    pool_windows(from + in, y + out, where + out, t);
  });
  return r;
}

}  // namespace

bool pools(const Window& v) {
  return v.stride_h == v.kernel_h && v.stride_w == v.kernel_w &&
         v.pad_top + v.pad_left + v.pad_bottom + v.pad_right == 0 &&
         v.kernel_h * v.kernel_w < kNowhere && vector_isa() >= VectorIsa::kVnni;
}

MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  return pooled(x, window, false);
}

MaxPool2dResult relu_max_pool2d(const Tensor& x, const Window& window) {
  return pooled(x, window, true);
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  require(
      workspace.defined() && workspace.dtype() == DType::kUint8 && workspace.shape() == dy.shape(),
      "max_pool2d_dx", "wants the workspace that this twin's max_pool2d wrote for input ", x_shape);
  const Tiling t = tiling(x_shape, dy.shape(), window, false);
  // Pixels at the far edges that no window reaches stay 0.
  const bool all = x_shape[1] % window.kernel_h == 0 && x_shape[2] % window.kernel_w == 0;
  Tensor dx = all ? Tensor::uninitialized(x_shape) : Tensor(x_shape);
  const float* gradient = dy.data();
  const auto* where = workspace.data<std::uint8_t>();
  float* to = dx.mutable_data();
  for_each_row(x_shape, dy.shape(), window, [&](std::int64_t in, std::int64_t out) {
    spread_windows(gradient + out, where + out, to + in, t);
  });
  return dx;
}

}  // namespace espalier::kernels::loops
