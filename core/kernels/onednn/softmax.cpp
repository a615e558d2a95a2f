#include "core/kernels/softmax.hpp"

#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kLog = dnnl::algorithm::softmax_log;
constexpr int kAxis = 1;
constexpr double kWorkOfExp = 16;  // multiply-adds

dnn::SoftmaxForward::primitive_desc forward(const dnn::Desc& data) {
  return dnn::describe<dnn::SoftmaxForward>(dnnl::prop_kind::forward_training, kLog, data, data,
                                            kAxis);
}

}  // namespace

Tensor log_softmax(const Tensor& x) {
  require(x.shape().rank() == 2 && x.shape()[1] > 0, "log_softmax", "wants [N K], got ", x.shape());
  if (x.elements() == 0) return Tensor(x.shape());
  const ThreadsForWork threads(kWorkOfExp * static_cast<double>(x.elements()));
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(dnn::key({x.shape().sizes()}), [&] {
    const auto data = dnn::rows(x.shape());
    return dnn::Primitive::make<dnn::SoftmaxForward>(forward(data),
                                                     {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, data}});
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({&x, &y});
  return y;
}

Tensor log_softmax_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape() && y.shape().rank() == 2, "log_softmax_dx", "gradient ",
          dy.shape(), " does not fit output ", y.shape());
  if (y.elements() == 0) return Tensor(y.shape());
  const ThreadsForWork threads(kWorkOfExp * static_cast<double>(y.elements()));
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(dnn::key({y.shape().sizes()}), [&] {
    const auto data = dnn::rows(y.shape());
    return dnn::Primitive::make<dnn::SoftmaxBackward>(
        dnn::describe_backward<dnn::SoftmaxBackward>(forward(data), kLog, data, data, data, kAxis),
        {{DNNL_ARG_DIFF_DST, data}, {DNNL_ARG_DST, data}, {DNNL_ARG_DIFF_SRC, data}});
  });
  Tensor dx = Tensor::uninitialized(y.shape());
  primitive->run({&dy, &y, &dx});
  return dx;
}

}  // namespace espalier::kernels::onednn
