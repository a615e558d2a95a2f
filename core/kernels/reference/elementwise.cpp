#include "core/kernels/elementwise.hpp"

namespace espalier::kernels::reference {
namespace {

template <class F>
Tensor map(std::string_view name, const Tensor& a, const Tensor& b, F f) {
  require(a.shape() == b.shape(), name, "shapes differ: ", a.shape(), " and ", b.shape());
  Tensor y = Tensor::uninitialized(a.shape());
  const float *pa = a.data(), *pb = b.data();
  float* py = y.mutable_data();
  for (std::int64_t i = 0; i < a.elements(); ++i) py[i] = f(pa[i], pb[i]);
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return map("add", a, b, [](float x, float y) { return x + y; });
}
Tensor multiply(const Tensor& a, const Tensor& b) {
  return map("multiply", a, b, [](float x, float y) { return x * y; });
}
Tensor relu(const Tensor& x) {
  return map("relu", x, x,
             [](float v, float) { return v < 0 ? 0.0f : v; });  // NaN passes: it must be seen
}
Tensor relu_dx(const Tensor& dy, const Tensor& y) {
  return map("relu_dx", dy, y, [](float d, float v) { return v > 0 ? d : 0.0f; });
}

Tensor add_bias(const Tensor& x, const Tensor& b) {
  require(x.shape().rank() >= 1 && b.shape() == Shape{x.shape()[-1]}, "add_bias", "input ",
          x.shape(), " wants a bias of its innermost size, got ", b.shape());
  Tensor y = Tensor::uninitialized(x.shape());
  const std::int64_t channels = b.elements();
  const float *px = x.data(), *pb = b.data();
  float* py = y.mutable_data();
  for (std::int64_t row = 0; row < x.elements(); row += channels)
    for (std::int64_t c = 0; c < channels; ++c) py[row + c] = px[row + c] + pb[c];
  return y;
}

Tensor sum_to_channels(const Tensor& x) {
  require(x.shape().rank() >= 1, "sum_to_channels", "wants at least one axis, got ", x.shape());
  const std::int64_t channels = x.shape()[-1];
  Tensor sums({channels});
  const float* px = x.data();
  float* total = sums.mutable_data();
  for (std::int64_t row = 0; row < x.elements(); row += channels)
    for (std::int64_t c = 0; c < channels; ++c) total[c] += px[row + c];
  return sums;
}

}  // namespace espalier::kernels::reference
