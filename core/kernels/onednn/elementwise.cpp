#include "core/kernels/elementwise.hpp"

#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kRelu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;

Tensor binary(std::string_view name, dnnl::algorithm algorithm, const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), name, "shapes differ: ", a.shape(), " and ", b.shape());
  if (a.elements() == 0) return Tensor(a.shape());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find({static_cast<std::int64_t>(algorithm), a.elements()}, [&] {
    const auto data = dnn::flat(a.elements());
    return dnn::Primitive::make<dnnl::binary>(
        dnn::describe<dnnl::binary>(algorithm, data, data, data),
        {{DNNL_ARG_SRC_0, data}, {DNNL_ARG_SRC_1, data}, {DNNL_ARG_DST, data}});
  });
  Tensor y = Tensor::uninitialized(a.shape());
  primitive->run({&a, &b, &y});
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return binary("add", dnnl::algorithm::binary_add, a, b);
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return binary("multiply", dnnl::algorithm::binary_mul, a, b);
}

Tensor add_bias(const Tensor& x, const Tensor& b) {
  require(x.shape().rank() >= 1 && b.shape() == Shape{x.shape()[-1]}, "add_bias", "input ",
          x.shape(), " wants a bias of its innermost size, got ", b.shape());
  if (x.elements() == 0) return Tensor(x.shape());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find({x.elements(), b.elements()}, [&] {
    const auto data = dnn::rows({x.elements() / b.elements(), b.elements()}),
               row = dnn::rows({1, b.elements()});
    return dnn::Primitive::make<dnnl::binary>(
        dnn::describe<dnnl::binary>(dnnl::algorithm::binary_add, data, row, data),
        {{DNNL_ARG_SRC_0, data}, {DNNL_ARG_SRC_1, row}, {DNNL_ARG_DST, data}});
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({&x, &b, &y});
  return y;
}

Tensor sum_to_channels(const Tensor& x) {
  require(x.shape().rank() >= 1, "sum_to_channels", "wants at least one axis, got ", x.shape());
  const std::int64_t channels = x.shape()[-1];
  Tensor sums({channels});
  if (x.elements() == 0) return sums;
  if (x.elements() == channels) return x.reshaped({channels}).clone();  // no primitive for one row
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find({x.elements(), channels}, [&] {
    const auto data = dnn::rows({x.elements() / channels, channels}),
               row = dnn::rows({1, channels});
    return dnn::Primitive::make<dnnl::reduction>(
        dnn::describe<dnnl::reduction>(dnnl::algorithm::reduction_sum, data, row, 0.0f, 0.0f),
        {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, row}});
  });
  primitive->run({&x, &sums});
  return sums;
}

Tensor relu(const Tensor& x) {
  if (x.elements() == 0) return Tensor(x.shape());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find({x.elements()}, [&] {
    const auto data = dnn::flat(x.elements());
    return dnn::Primitive::make<dnnl::eltwise_forward>(
        dnn::eltwise(kRelu, data), {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, data}});
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({&x, &y});
  return y;
}

Tensor relu_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape(), "relu_dx", "shapes differ: ", dy.shape(), " and ", y.shape());
  if (y.elements() == 0) return Tensor(y.shape());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find({y.elements()}, [&] {
    const auto data = dnn::flat(y.elements());
    return dnn::Primitive::make<dnnl::eltwise_backward>(
        dnn::eltwise_backward(dnn::eltwise(kRelu, data), kRelu, data),
        {{DNNL_ARG_DIFF_DST, data}, {DNNL_ARG_DST, data}, {DNNL_ARG_DIFF_SRC, data}});
  });
  Tensor dx = Tensor::uninitialized(y.shape());
  primitive->run({&dy, &y, &dx});
  return dx;
}

}  // namespace espalier::kernels::onednn
