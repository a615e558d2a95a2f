// y[n,k] = x[n,k] - log(sum over j of exp(x[n,j])), with the row's maximum taken out first: stable.
// dx[n,k] = dy[n,k] - exp(y[n,k]) * sum over j of dy[n,j].   x, y: [N K]. float32.
// Errors: kUsage, naming the shapes, when they do not fit.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

namespace reference {
Tensor log_softmax(const Tensor& x);
Tensor log_softmax_dx(const Tensor& dy, const Tensor& y);
}  // namespace reference
namespace onednn {
Tensor log_softmax(const Tensor& x);
Tensor log_softmax_dx(const Tensor& dy, const Tensor& y);
}  // namespace onednn
// Ten classes are too few to pay for a primitive: espalier-bench-kernels.
using reference::log_softmax;
using reference::log_softmax_dx;

}  // namespace espalier::kernels
