// What both twins of a kernel ask of their arguments, so that they refuse the same with the same
// words.
#pragma once

#include <initializer_list>

#include "core/kernels/gemm.hpp"
#include "core/kernels/window.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

struct GemmSizes {
  std::int64_t m, n, k;
};
// Errors: a and b are no matrices, or their inner sizes differ.
GemmSizes gemm_sizes(const Tensor& a, const Tensor& b, GemmOptions options);

// Errors: a bias that is defined is not [O], for weights [O ...].
void check_conv_bias(const Tensor& bias, const Shape& w);

// Errors: dy does not have the shape that pooling gives an input of x_shape.
void check_pool_gradient(const Tensor& dy, const Shape& x_shape, const Window& window);

// The channels of x [... C]. Errors: no values, one of the vectors is not [C], or epsilon is not > 0.
std::int64_t batch_norm_channels(const Tensor& x, std::initializer_list<const Tensor*> vectors,
                                 float epsilon);

}  // namespace espalier::kernels
