// c = op(a) . op(b)      op(a): [M x K]   op(b): [K x N]   c: [M x N]
// op transposes where asked. float32.
// Errors: kUsage, naming the shapes, when they do not fit.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

struct GemmOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

namespace reference {
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options = {});
}
namespace onednn {
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options = {});
}
namespace sparse {
// Skips the zeros of a, or of b: 0 times NaN or infinity counts as 0.
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options = {});
Tensor gemm_of_sparse_b(const Tensor& a, const Tensor& b, GemmOptions options = {});
}  // namespace sparse
// The twin that the matrices' sizes and their shares of zeros call for (choice.cpp).
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options = {});

}  // namespace espalier::kernels
