#include "layers/pool2d.hpp"

#include "core/ops/ops.hpp"

namespace espalier {
namespace {

kernels::Window window_of(Pool2dOptions o) {
  const std::int64_t stride = o.stride == 0 ? o.kernel : o.stride;
  return {.kernel_h = o.kernel,
          .kernel_w = o.kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = o.padding,
          .pad_left = o.padding,
          .pad_bottom = o.padding,
          .pad_right = o.padding};
}

std::string described(const char* kind, const kernels::Window& window) {
  std::ostringstream out;
  out << kind << "(kernel " << window.kernel_h << ", stride " << window.stride_h << ", padding "
      << window.pad_top << ')';
  return out.str();
}

}  // namespace

MaxPool2d::MaxPool2d(Pool2dOptions options) : window_(window_of(options)) {}
Variable MaxPool2d::forward(const Variable& x, const ForwardContext&) {
  return ops::max_pool2d(x, window_);
}
std::string MaxPool2d::describe() const {
  return described("MaxPool2d", window_);
}

AveragePool2d::AveragePool2d(Pool2dOptions options) : window_(window_of(options)) {}
Variable AveragePool2d::forward(const Variable& x, const ForwardContext&) {
  return ops::average_pool2d(x, window_);
}
std::string AveragePool2d::describe() const {
  return described("AveragePool2d", window_);
}

}  // namespace espalier
