#include "core/kernels/pool2d.hpp"

#include <vector>

#include "core/kernels/checks.hpp"

namespace espalier::kernels::reference {
namespace {

// Calls visit(index in y, indices of x inside of the window) for every output value.
template <class Visit>
void for_each_window(const Shape& x, const Shape& y, const Window& v, Visit visit) {
  std::vector<std::int64_t> inside;
  const std::int64_t channels = x[3];
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t p = 0; p < y[1]; ++p)
      for (std::int64_t q = 0; q < y[2]; ++q)
        for (std::int64_t c = 0; c < channels; ++c) {
          inside.clear();
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 w = q * v.stride_w - v.pad_left + j;
              if (h >= 0 && h < x[1] && w >= 0 && w < x[2])
                inside.push_back(((n * x[1] + h) * x[2] + w) * channels + c);
            }
          visit(((n * y[1] + p) * y[2] + q) * channels + c, inside);
        }
}

}  // namespace

// The workspace holds each maximum's index in x (int32).
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  const Shape shape = pooled_shape(x.shape(), window);
  require(x.elements() <= INT32_MAX, "max_pool2d", "wants fewer than 2^31 inputs, got ", x.shape());
  MaxPool2dResult r{Tensor(shape), Tensor(shape, DType::kInt32)};
  for_each_window(x.shape(), shape, window, [&](auto y, const auto& inside) {
    auto best = inside.front();
    for (const auto i : inside)
      if (x.data()[i] > x.data()[best]) best = i;
    r.y.mutable_data()[y] = x.data()[best];
    r.workspace.mutable_data<std::int32_t>()[y] = static_cast<std::int32_t>(best);
  });
  return r;
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  Tensor dx(x_shape);
  for (std::int64_t i = 0; i < dy.elements(); ++i)
    dx.mutable_data()[workspace.data<std::int32_t>()[i]] += dy.data()[i];
  return dx;
}

Tensor average_pool2d(const Tensor& x, const Window& window) {
  Tensor y(pooled_shape(x.shape(), window));
  for_each_window(x.shape(), y.shape(), window, [&](auto out, const auto& inside) {
    float sum = 0;
    for (const auto i : inside) sum += x.data()[i];
    y.mutable_data()[out] = sum / static_cast<float>(inside.size());
  });
  return y;
}

Tensor average_pool2d_dx(const Tensor& dy, const Shape& x_shape, const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  Tensor dx(x_shape);
  for_each_window(x_shape, dy.shape(), window, [&](auto out, const auto& inside) {
    for (const auto i : inside)
      dx.mutable_data()[i] += dy.data()[out] / static_cast<float>(inside.size());
  });
  return dx;
}

}  // namespace espalier::kernels::reference
