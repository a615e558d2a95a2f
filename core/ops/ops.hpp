// The differentiable operations. Formula, forward and rule of each stand in its own .cpp.
#pragma once

#include <span>

#include "core/autograd/variable.hpp"
#include "core/kernels/window.hpp"

namespace espalier::ops {

struct MatmulOptions {
  bool transpose_b = false;
};
Variable matmul(const Variable& a, const Variable& b, MatmulOptions options = {});  // [M K] . [K N]
Variable add(const Variable& a, const Variable& b);                                 // same shapes
Variable multiply(const Variable& a, const Variable& b);                            // same shapes
Variable add_bias(const Variable& x, const Variable& b);                            // [... C] + [C]
Variable conv2d(const Variable& x, const Variable& w, const kernels::Window& window);
Variable max_pool2d(const Variable& x, const kernels::Window& window);
Variable average_pool2d(const Variable& x, const kernels::Window& window);
Variable relu(const Variable& x);
Variable reshape(const Variable& x, Shape shape);
Variable sum(const Variable& x);          // to a scalar
Variable mean(const Variable& x);         // to a scalar
Variable log_softmax(const Variable& x);  // [N K], over K
// Mean over the batch of -log softmax(logits)[label]. logits [N K], labels N values in [0, K).
Variable cross_entropy(const Variable& logits, std::span<const int> labels);

struct BatchNormOutput {
  Variable y;
  Tensor mean, variance;  // of this batch, [C]; the variance is the biased one
};
// x [... C], gamma and beta [C], epsilon > 0.
BatchNormOutput batch_norm(const Variable& x, const Variable& gamma, const Variable& beta,
                           float epsilon);

}  // namespace espalier::ops
