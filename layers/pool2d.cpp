#include "layers/pool2d.hpp"

#include "core/ops/ops.hpp"

namespace espalier {

Pool2d::Pool2d(const char* kind, Pool2dOptions o)
    : window_{o.kernel, o.stride == Size2d(0) ? o.kernel : o.stride, o.padding} {
  window_.check(kind);
}

std::string Pool2d::described(const char* kind) const {
  std::ostringstream out;
  out << kind << '(' << window_ << ')';
  return out.str();
}

Shape Pool2d::output_shape(const Shape& input) const {
  require(input.rank() == 3, "pooling", "wants an image [H W C], got ", input);
  const Shape y = kernels::pooled_shape({1, input[0], input[1], input[2]}, window(input));
  return {y[1], y[2], y[3]};
}

Variable MaxPool2d::forward(const Variable& x, const ForwardContext&) {
  return ops::max_pool2d(x, window(x.shape()));
}

Variable AveragePool2d::forward(const Variable& x, const ForwardContext&) {
  return ops::average_pool2d(x, window(x.shape()));
}

}  // namespace espalier
