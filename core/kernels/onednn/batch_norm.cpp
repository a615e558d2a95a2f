#include "core/kernels/batch_norm.hpp"

#include <bit>
#include <utility>

#include "core/kernels/checks.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {
namespace {

using Flags = dnnl::normalization_flags;
const Flags kAffine = Flags::use_scale | Flags::use_shift;
const Flags kGivenStatistics = kAffine | Flags::use_global_stats;

// In multiply-adds: a thousand floats take half a microsecond.
double work(const Tensor& x) {
  return 50 * static_cast<double>(x.elements());
}

dnn::Key key(const Shape& x, float epsilon) {
  const std::int64_t bits[] = {std::bit_cast<std::int32_t>(epsilon)};
  return dnn::key({x.sizes(), bits});
}

}  // namespace

BatchNormResult batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                    float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &beta}, epsilon);
  const ThreadsForWork threads(work(x));
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
    return dnn::Primitive::make<dnnl::batch_normalization_forward>(
        dnn::batch_norm(dnnl::prop_kind::forward_training, data, epsilon, kAffine),
        {{DNNL_ARG_SRC, data},
         {DNNL_ARG_SCALE, vector},
         {DNNL_ARG_SHIFT, vector},
         {DNNL_ARG_DST, data},
         {DNNL_ARG_MEAN, vector},
         {DNNL_ARG_VARIANCE, vector}});
  });
  BatchNormResult r{Tensor::uninitialized(x.shape()), Tensor::uninitialized({channels}),
                    Tensor::uninitialized({channels})};
  primitive->run({&x, &gamma, &beta, &r.y, &r.mean, &r.variance});
  return r;
}

Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& mean, const Tensor& variance, float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &beta, &mean, &variance}, epsilon);
  const ThreadsForWork threads(work(x));
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
    return dnn::Primitive::make<dnnl::batch_normalization_forward>(
        dnn::batch_norm(dnnl::prop_kind::forward_inference, data, epsilon, kGivenStatistics),
        {{DNNL_ARG_SRC, data},
         {DNNL_ARG_SCALE, vector},
         {DNNL_ARG_SHIFT, vector},
         {DNNL_ARG_MEAN, vector},
         {DNNL_ARG_VARIANCE, vector},
         {DNNL_ARG_DST, data}});
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({&x, &gamma, &beta, &mean, &variance, &y});
  return y;
}

BatchNormGradients batch_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                       const Tensor& mean, const Tensor& variance, float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &mean, &variance}, epsilon);
  require(dy.shape() == x.shape(), "batch_norm", "gradient ", dy.shape(), " does not fit input ",
          x.shape());
  const ThreadsForWork threads(work(x));
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
    dnn::Primitive::Signature signature{
        {DNNL_ARG_SRC, data},          {DNNL_ARG_DIFF_DST, data},    {DNNL_ARG_SCALE, vector},
        {DNNL_ARG_MEAN, vector},       {DNNL_ARG_VARIANCE, vector},  {DNNL_ARG_DIFF_SRC, data},
        {DNNL_ARG_DIFF_SCALE, vector}, {DNNL_ARG_DIFF_SHIFT, vector}};
    if (dnn::kBackwardCountsShift) signature.emplace_back(DNNL_ARG_SHIFT, vector);
    return dnn::Primitive::make<dnnl::batch_normalization_backward>(
        dnn::batch_norm_backward(
            dnn::batch_norm(dnnl::prop_kind::forward_training, data, epsilon, kAffine), data,
            epsilon, kAffine),
        std::move(signature));
  });
  BatchNormGradients r{Tensor::uninitialized(x.shape()), Tensor::uninitialized({channels}),
                       Tensor::uninitialized({channels})};
  if constexpr (dnn::kBackwardCountsShift)
    primitive->run({&x, &dy, &gamma, &mean, &variance, &r.dx, &r.dgamma, &r.dbeta, &gamma});
  else
    primitive->run({&x, &dy, &gamma, &mean, &variance, &r.dx, &r.dgamma, &r.dbeta});
  return r;
}

}  // namespace espalier::kernels::onednn
