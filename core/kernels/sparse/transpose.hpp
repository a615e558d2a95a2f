// A matrix with rows and columns exchanged.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::kernels::sparse {

// to[c, r] = from[r, c], rows of each that many floats apart
void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_stride);
Tensor transposed(const Tensor& matrix);  // [M x N] to [N x M], float32

}  // namespace espalier::kernels::sparse
