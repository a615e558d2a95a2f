#include "core/kernels/gemm.hpp"

#include <array>

#include "core/kernels/checks.hpp"
#include "core/kernels/onednn/operand.hpp"
#include "core/kernels/precision.hpp"

namespace espalier::kernels::onednn {
namespace {

struct Product {
  dnn::Primitive primitive;
  Operand a, b;
};

dnn::Desc matrix(const Tensor& tensor, bool transpose) {
  return transpose ? dnn::columns(tensor.shape()) : dnn::rows(tensor.shape());
}

// In float32 as the factors lie; in bf16, to which they must be converted anyway, as oneDNN likes.
Product product(const dnn::Desc& a, const dnn::Desc& b, const dnn::Desc& c) {
  const bool bf16 = precision() == Precision::kBf16;
  const auto desc =
      bf16 ? dnn::describe<dnnl::matmul>(dnn::bf16(dnn::any(a)), dnn::bf16(dnn::any(b)), c)
           : dnn::describe<dnnl::matmul>(a, b, c);
  const auto src = desc.src_desc(), weights = desc.weights_desc();
  return {dnn::Primitive::make<dnnl::matmul>(
              desc, {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, c}}),
          Operand::input(a, src), Operand::input(b, weights)};
}

}  // namespace

Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  const auto sizes = gemm_sizes(a, b, options);
  const std::int64_t m = sizes.m, n = sizes.n, k = sizes.k;
  if (m == 0 || n == 0 || k == 0) return Tensor({m, n});  // an empty sum is 0

  const ThreadsForWork threads(static_cast<double>(m * n) * static_cast<double>(k));
  static dnn::Cache<Product> cache;
  const std::array<std::int64_t, 3> kind{options.transpose_a, options.transpose_b,
                                         static_cast<std::int64_t>(precision())};
  const auto found = cache.find(dnn::key({a.shape().sizes(), b.shape().sizes(), kind}), [&] {
    return product(matrix(a, options.transpose_a), matrix(b, options.transpose_b),
                   dnn::rows({m, n}));
  });
  Tensor c = Tensor::uninitialized({m, n}), rooms[2];
  found->primitive.run({&found->a.read(a, rooms[0]), &found->b.read(b, rooms[1]), &c});
  return c;
}

}  // namespace espalier::kernels::onednn
