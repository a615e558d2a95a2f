// The differentiable operations. Formula, forward and rule of each stand in its own .cpp.
#pragma once

#include <span>
#include <vector>

#include "core/autograd/variable.hpp"
#include "core/base/rng.hpp"
#include "core/kernels/window.hpp"

namespace espalier::ops {

// Values are float32. Errors, of every op: kUsage, naming the op and both shapes, when they do not
// fit.

struct MatmulOptions {
  bool transpose_b = false;  // b is [N K]
};
Variable matmul(const Variable& a, const Variable& b, MatmulOptions options = {});  // [M K] . [K N]
Variable add(const Variable& a, const Variable& b);                                 // same shapes
Variable multiply(const Variable& a, const Variable& b);                            // same shapes
Variable add_bias(const Variable& x, const Variable& b);                            // [... C] + [C]
// Cross-correlation, zeros around the image: x [N H W C], w [O KH KW C], b [O] to [N OH OW O].
Variable conv2d(const Variable& x, const Variable& w, const Variable& b,
                const kernels::Window& window);
// The same of each channel with a kernel of its own: w [C KH KW 1], to [N OH OW C].
Variable depthwise_conv2d(const Variable& x, const Variable& w, const kernels::Window& window);
// Of each window and channel the largest value, and the mean of those inside of the image: x
// [N H W C] to [N OH OW C].
Variable max_pool2d(const Variable& x, const kernels::Window& window);
Variable average_pool2d(const Variable& x, const kernels::Window& window);
// max_pool2d(relu(x)) in one pass over x each way, for windows that tile the image.
Variable relu_max_pool2d(const Variable& x, const kernels::Window& window);
// The same of conv2d(x, w, b), for images of few channels: no step in between is written to memory.
Variable conv2d_relu_max_pool2d(const Variable& x, const Variable& w, const Variable& b,
                                const kernels::Window& window, const kernels::Window& pool);
Variable relu(const Variable& x);                  // max(x, 0); a NaN passes
Variable reshape(const Variable& x, Shape shape);  // as many values, in the same order
Variable sum(const Variable& x);                   // to a scalar
Variable mean(const Variable& x);                  // to a scalar
Variable log_softmax(const Variable& x);           // [N K], over K
// Mean over the batch of -log softmax(logits)[label]. logits [N K], labels N values in [0, K).
Variable cross_entropy(const Variable& logits, std::span<const int> labels);
// Mean over the batch of -sum over k of targets[k] log softmax(logits / temperature)[k]. Both [N K].
Variable soft_cross_entropy(const Variable& logits, const Tensor& targets, float temperature = 1);

struct BatchNormOutput {
  Variable y;
  Tensor mean, variance;  // of this batch, [C]; the variance is the biased one
};
// x [... C], gamma and beta [C], epsilon > 0.
BatchNormOutput batch_norm(const Variable& x, const Variable& gamma, const Variable& beta,
                           float epsilon);
// With given statistics, [C], as in evaluation: x's gradient does not flow through them.
Variable batch_norm_inference(const Variable& x, const Variable& gamma, const Variable& beta,
                              const Tensor& mean, const Tensor& variance, float epsilon);

// Each value is 0 with probability `rate`, in [0, 1), else divided by 1 - rate: the mean stays.
Variable dropout(const Variable& x, float rate, Rng& rng);

struct FakeQuantGrid {
  std::vector<float> scales = {1};  // > 0; one, or one a channel of the outermost axis
  int zero_point = 0;
  int min_level = -127, max_level = 127;
  // x holds means of values on this grid, as an average pool makes them. The level is then rounded
  // together with its zero point, as integers have it, and a tie is one despite x's float error.
  bool means = false;
};
// x rounded to the values that the grid's levels stand for: core/ops/fake_quant.cpp.
Variable fake_quant(const Variable& x, FakeQuantGrid grid);

}  // namespace espalier::ops
