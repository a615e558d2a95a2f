#include "core/kernels/pool2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/onednn/window_dims.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kMax = dnnl::algorithm::pooling_max;
constexpr auto kAverage = dnnl::algorithm::pooling_avg_exclude_padding;
const dnnl::memory::dims kNoDilation{0, 0};

struct Pooling {
  dnn::Primitive primitive;
  dnn::Desc workspace;  // of zero bytes for the average
};
using Poolings = dnn::Cache<Pooling>;

dnn::PoolingForward::primitive_desc describe_forward(dnnl::algorithm algorithm, const Shape& x,
                                                     const Window& window) {
  const WindowDims v(window);
  return dnn::describe<dnn::PoolingForward>(dnnl::prop_kind::forward_training, algorithm,
                                            dnn::image(x), dnn::image(pooled_shape(x, window)),
                                            v.stride, v.kernel, kNoDilation, v.before, v.after);
}

Pooling forward(dnnl::algorithm algorithm, const Shape& x, const Window& window) {
  const auto desc = describe_forward(algorithm, x, window);
  return {dnn::Primitive::make<dnn::PoolingForward>(desc), desc.workspace_desc()};
}

Pooling backward(dnnl::algorithm algorithm, const Shape& x, const Window& window) {
  const WindowDims v(window);
  const auto hint = describe_forward(algorithm, x, window);
  const auto desc = dnn::describe_backward<dnn::PoolingBackward>(
      hint, algorithm, dnn::image(x), dnn::image(pooled_shape(x, window)), v.stride, v.kernel,
      kNoDilation, v.before, v.after);
  return {dnn::Primitive::make<dnn::PoolingBackward>(desc), hint.workspace_desc()};
}

dnn::Key key(const Shape& x, const Window& window) {
  return dnn::key({x.sizes(), numbers(window)});
}

}  // namespace

MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  const Shape shape = pooled_shape(x.shape(), window);
  if (x.elements() == 0) return {Tensor(shape), Tensor({0}, DType::kUint8)};
  static Poolings cache;
  const auto pooling =
      cache.find(key(x.shape(), window), [&] { return forward(kMax, x.shape(), window); });
  MaxPool2dResult r{Tensor::uninitialized(shape), dnn::opaque(pooling->workspace)};
  pooling->primitive.run(
      {{DNNL_ARG_SRC, dnn::input(x, dnn::image(x.shape()))},
       {DNNL_ARG_DST, dnn::output(r.y, dnn::image(shape))},
       {DNNL_ARG_WORKSPACE, dnn::opaque_memory(r.workspace, pooling->workspace)}});
  return r;
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  if (dy.elements() == 0) return Tensor(x_shape);
  static Poolings cache;
  const auto pooling =
      cache.find(key(x_shape, window), [&] { return backward(kMax, x_shape, window); });
  require(workspace.defined() && workspace.dtype() == DType::kUint8 &&
              workspace.bytes() == pooling->workspace.get_size(),
          "max_pool2d_dx", "wants the workspace that this twin's max_pool2d wrote for input ",
          x_shape);
  Tensor dx = Tensor::uninitialized(x_shape);
  pooling->primitive.run({{DNNL_ARG_DIFF_DST, dnn::input(dy, dnn::image(dy.shape()))},
                          {DNNL_ARG_DIFF_SRC, dnn::output(dx, dnn::image(x_shape))},
                          {DNNL_ARG_WORKSPACE, dnn::opaque_memory(workspace, pooling->workspace)}});
  return dx;
}

Tensor average_pool2d(const Tensor& x, const Window& window) {
  const Shape shape = pooled_shape(x.shape(), window);
  if (x.elements() == 0) return Tensor(shape);
  static Poolings cache;
  const auto pooling =
      cache.find(key(x.shape(), window), [&] { return forward(kAverage, x.shape(), window); });
  Tensor y = Tensor::uninitialized(shape);
  pooling->primitive.run({{DNNL_ARG_SRC, dnn::input(x, dnn::image(x.shape()))},
                          {DNNL_ARG_DST, dnn::output(y, dnn::image(shape))}});
  return y;
}

Tensor average_pool2d_dx(const Tensor& dy, const Shape& x_shape, const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  if (dy.elements() == 0) return Tensor(x_shape);
  static Poolings cache;
  const auto pooling =
      cache.find(key(x_shape, window), [&] { return backward(kAverage, x_shape, window); });
  Tensor dx = Tensor::uninitialized(x_shape);
  pooling->primitive.run({{DNNL_ARG_DIFF_DST, dnn::input(dy, dnn::image(dy.shape()))},
                          {DNNL_ARG_DIFF_SRC, dnn::output(dx, dnn::image(x_shape))}});
  return dx;
}

}  // namespace espalier::kernels::onednn
