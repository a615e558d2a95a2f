#include "core/kernels/batch_norm.hpp"

#include <bit>

#include "core/kernels/checks.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {
namespace {

using Flags = dnnl::normalization_flags;
const Flags kAffine = Flags::use_scale | Flags::use_shift;
const Flags kGivenStatistics = kAffine | Flags::use_global_stats;

dnn::Key key(const Shape& x, float epsilon) {
  const std::int64_t bits[] = {std::bit_cast<std::int32_t>(epsilon)};
  return dnn::key({x.sizes(), bits});
}

}  // namespace

BatchNormResult batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                    float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &beta}, epsilon);
  const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    return dnn::Primitive::make<dnnl::batch_normalization_forward>(
        dnn::batch_norm(dnnl::prop_kind::forward_training, data, epsilon, kAffine));
  });
  BatchNormResult r{Tensor::uninitialized(x.shape()), Tensor::uninitialized({channels}),
                    Tensor::uninitialized({channels})};
  primitive->run({{DNNL_ARG_SRC, dnn::input(x, data)},
                  {DNNL_ARG_SCALE, dnn::input(gamma, vector)},
                  {DNNL_ARG_SHIFT, dnn::input(beta, vector)},
                  {DNNL_ARG_DST, dnn::output(r.y, data)},
                  {DNNL_ARG_MEAN, dnn::output(r.mean, vector)},
                  {DNNL_ARG_VARIANCE, dnn::output(r.variance, vector)}});
  return r;
}

Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& mean, const Tensor& variance, float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &beta, &mean, &variance}, epsilon);
  const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    return dnn::Primitive::make<dnnl::batch_normalization_forward>(
        dnn::batch_norm(dnnl::prop_kind::forward_inference, data, epsilon, kGivenStatistics));
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({{DNNL_ARG_SRC, dnn::input(x, data)},
                  {DNNL_ARG_SCALE, dnn::input(gamma, vector)},
                  {DNNL_ARG_SHIFT, dnn::input(beta, vector)},
                  {DNNL_ARG_MEAN, dnn::input(mean, vector)},
                  {DNNL_ARG_VARIANCE, dnn::input(variance, vector)},
                  {DNNL_ARG_DST, dnn::output(y, data)}});
  return y;
}

BatchNormGradients batch_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                       const Tensor& mean, const Tensor& variance, float epsilon) {
  const auto channels = batch_norm_channels(x, {&gamma, &mean, &variance}, epsilon);
  require(dy.shape() == x.shape(), "batch_norm", "gradient ", dy.shape(), " does not fit input ",
          x.shape());
  const auto data = dnn::channels_last(x.shape()), vector = dnn::vector(channels);
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.shape(), epsilon), [&] {
    return dnn::Primitive::make<dnnl::batch_normalization_backward>(dnn::batch_norm_backward(
        dnn::batch_norm(dnnl::prop_kind::forward_training, data, epsilon, kAffine), data, epsilon,
        kAffine));
  });
  BatchNormGradients r{Tensor::uninitialized(x.shape()), Tensor::uninitialized({channels}),
                       Tensor::uninitialized({channels})};
  dnn::Arguments arguments{{DNNL_ARG_SRC, dnn::input(x, data)},
                           {DNNL_ARG_DIFF_DST, dnn::input(dy, data)},
                           {DNNL_ARG_SCALE, dnn::input(gamma, vector)},
                           {DNNL_ARG_MEAN, dnn::input(mean, vector)},
                           {DNNL_ARG_VARIANCE, dnn::input(variance, vector)},
                           {DNNL_ARG_DIFF_SRC, dnn::output(r.dx, data)},
                           {DNNL_ARG_DIFF_SCALE, dnn::output(r.dgamma, vector)},
                           {DNNL_ARG_DIFF_SHIFT, dnn::output(r.dbeta, vector)}};
  if (dnn::kBackwardCountsShift) arguments.emplace(DNNL_ARG_SHIFT, dnn::input(gamma, vector));
  primitive->run(std::move(arguments));
  return r;
}

}  // namespace espalier::kernels::onednn
