// One value in, one value out; and the sums that undo a broadcast. float32. Errors: kUsage, naming
// both shapes, when they do not fit.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

namespace reference {
Tensor add(const Tensor& a, const Tensor& b);       // a + b          same shapes
Tensor multiply(const Tensor& a, const Tensor& b);  // a * b          same shapes
Tensor add_bias(const Tensor& x, const Tensor& b);  // x[..., c] + b[c]   x: [... C]  b: [C]
Tensor sum_to_channels(const Tensor& x);            // [... C] -> [C]: add_bias's gradient
Tensor relu(const Tensor& x);                       // max(x, 0)
Tensor relu_dx(const Tensor& dy, const Tensor& y);  // dy where y > 0, else 0
}  // namespace reference
namespace onednn {
Tensor add(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor add_bias(const Tensor& x, const Tensor& b);
Tensor sum_to_channels(const Tensor& x);
Tensor relu(const Tensor& x);
Tensor relu_dx(const Tensor& dy, const Tensor& y);
}  // namespace onednn
namespace loops {
Tensor add(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor add_bias(const Tensor& x, const Tensor& b);
Tensor sum_to_channels(const Tensor& x);
Tensor relu(const Tensor& x);
Tensor relu_dx(const Tensor& dy, const Tensor& y);
}  // namespace loops
// The using lines are the choice of twin: espalier-bench-kernels.
using loops::add;
using loops::add_bias;
using loops::multiply;
using loops::relu;
using loops::relu_dx;
using loops::sum_to_channels;

}  // namespace espalier::kernels
