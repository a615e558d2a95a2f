#include "core/kernels/gemm.hpp"

#include "core/kernels/checks.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {

Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  const auto [m, n, k] = gemm_sizes(a, b, options);
  if (m == 0 || n == 0 || k == 0) return Tensor({m, n});  // an empty sum is 0

  const auto a_desc = options.transpose_a ? dnn::columns(a.shape()) : dnn::rows(a.shape());
  const auto b_desc = options.transpose_b ? dnn::columns(b.shape()) : dnn::rows(b.shape());
  const auto c_desc = dnn::rows({m, n});
  static dnn::Cache<dnn::Primitive> cache;
  const Shape flags{options.transpose_a, options.transpose_b};
  const auto primitive =
      cache.find(dnn::key({a.shape().sizes(), b.shape().sizes(), flags.sizes()}), [&] {
        return dnn::Primitive::make<dnnl::matmul>(
            dnn::describe<dnnl::matmul>(a_desc, b_desc, c_desc));
      });
  Tensor c = Tensor::uninitialized({m, n});
  primitive->run({{DNNL_ARG_SRC, dnn::input(a, a_desc)},
                  {DNNL_ARG_WEIGHTS, dnn::input(b, b_desc)},
                  {DNNL_ARG_DST, dnn::output(c, c_desc)}});
  return c;
}

}  // namespace espalier::kernels::onednn
