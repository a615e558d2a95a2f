#include "core/kernels/elementwise.hpp"

#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kRelu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;

Tensor binary(std::string_view name, dnnl::algorithm algorithm, const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), name, "shapes differ: ", a.shape(), " and ", b.shape());
  if (a.elements() == 0) return Tensor(a.shape());
  const auto data = dnn::flat(a.elements());
  static dnn::Cache<dnn::Primitive> cache;
  const Shape operation{static_cast<std::int64_t>(algorithm), a.elements()};
  const auto primitive = cache.find(dnn::key({operation.sizes()}), [&] {
    return dnn::Primitive::make<dnnl::binary>(
        dnn::describe<dnnl::binary>(algorithm, data, data, data));
  });
  Tensor y = Tensor::uninitialized(a.shape());
  primitive->run({{DNNL_ARG_SRC_0, dnn::input(a, data)},
                  {DNNL_ARG_SRC_1, dnn::input(b, data)},
                  {DNNL_ARG_DST, dnn::output(y, data)}});
  return y;
}

dnn::Key key(std::int64_t elements) {
  return {elements};
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return binary("add", dnnl::algorithm::binary_add, a, b);
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  return binary("multiply", dnnl::algorithm::binary_mul, a, b);
}

Tensor relu(const Tensor& x) {
  if (x.elements() == 0) return Tensor(x.shape());
  const auto data = dnn::flat(x.elements());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(x.elements()), [&] {
    return dnn::Primitive::make<dnnl::eltwise_forward>(dnn::eltwise(kRelu, data));
  });
  Tensor y = Tensor::uninitialized(x.shape());
  primitive->run({{DNNL_ARG_SRC, dnn::input(x, data)}, {DNNL_ARG_DST, dnn::output(y, data)}});
  return y;
}

Tensor relu_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape(), "relu_dx", "shapes differ: ", dy.shape(), " and ", y.shape());
  if (y.elements() == 0) return Tensor(y.shape());
  const auto data = dnn::flat(y.elements());
  static dnn::Cache<dnn::Primitive> cache;
  const auto primitive = cache.find(key(y.elements()), [&] {
    return dnn::Primitive::make<dnnl::eltwise_backward>(
        dnn::eltwise_backward(dnn::eltwise(kRelu, data), kRelu, data));
  });
  Tensor dx = Tensor::uninitialized(y.shape());
  primitive->run({{DNNL_ARG_DIFF_DST, dnn::input(dy, data)},
                  {DNNL_ARG_DST, dnn::input(y, data)},
                  {DNNL_ARG_DIFF_SRC, dnn::output(dx, data)}});
  return dx;
}

}  // namespace espalier::kernels::onednn
