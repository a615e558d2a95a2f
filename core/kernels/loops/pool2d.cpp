#include "core/kernels/pool2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/loops/pool_windows.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::kernels::loops {
namespace {

// nullptr: this processor, or oneDNN's cap, allows no vectors that we have loops for.
const PoolWindows* pool_windows() {
#if defined(__x86_64__)
  if (vector_isa() >= VectorIsa::kVnni) return &kPoolAvx512;
  if (vector_isa() >= VectorIsa::kAvx2) return &kPoolAvx2;
#endif
  return nullptr;
}

// Calls visit(the input's offset, the output's) for each row of windows.
template <class Visit>
void for_each_row(const Shape& x, const Shape& y, const Window& v, Visit visit) {
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t p = 0; p < y[1]; ++p)
      visit((n * x[1] + p * v.kernel_h) * x[2] * x[3], (n * y[1] + p) * y[2] * y[3]);
}

Tiling tiling(const Shape& x, const Shape& y, const Window& v) {
  return {v.kernel_h, v.kernel_w, x[2] * x[3], x[3], y[2]};
}

}  // namespace

bool pools(const Window& v) {
  return v.stride_h == v.kernel_h && v.stride_w == v.kernel_w &&
         v.pad_top + v.pad_left + v.pad_bottom + v.pad_right == 0 && pool_windows();
}

// The workspace is x itself: looking for the maximum again is cheaper than keeping where it stood.
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  require(pools(window), ErrorKind::kInternal, "max_pool2d", "has no loops for this window");
  const Shape shape = pooled_shape(x.shape(), window);
  MaxPool2dResult r{Tensor::uninitialized(shape), x};
  const Tiling t = tiling(x.shape(), shape, window);
  const float* from = x.data();
  float* y = r.y.mutable_data();
  for_each_row(x.shape(), shape, window, [&](std::int64_t in, std::int64_t out) {
    pool_windows()->forward(from + in, y + out, t);
  });
  return r;
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  require(workspace.defined() && workspace.shape() == x_shape && pools(window), "max_pool2d_dx",
          "wants the workspace that this twin's max_pool2d wrote for input ", x_shape);
  // Pixels at the far edges that no window reaches stay 0.
  const bool all = x_shape[1] % window.kernel_h == 0 && x_shape[2] % window.kernel_w == 0;
  Tensor dx = all ? Tensor::uninitialized(x_shape) : Tensor(x_shape);
  const Tiling t = tiling(x_shape, dy.shape(), window);
  const float *x = workspace.data(), *gradient = dy.data();
  float* to = dx.mutable_data();
  for_each_row(x_shape, dy.shape(), window, [&](std::int64_t in, std::int64_t out) {
    pool_windows()->backward(x + in, gradient + out, to + in, t);
  });
  return dx;
}

}  // namespace espalier::kernels::loops
