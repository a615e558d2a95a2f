#include "core/kernels/pool2d.hpp"

#include "core/kernels/checks.hpp"
#include "core/kernels/onednn/window_dims.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kMax = dnnl::algorithm::pooling_max;
constexpr auto kAverage = dnnl::algorithm::pooling_avg_exclude_padding;
const dnnl::memory::dims kNoDilation{0, 0};

struct Pooling {
  dnn::Primitive primitive;  // takes the input, the output or its gradient, and the workspace
  dnn::Desc workspace;       // of zero bytes for the average, which takes none
};
using Poolings = dnn::Cache<Pooling>;

dnn::PoolingForward::primitive_desc describe_forward(dnnl::algorithm algorithm, const Shape& x,
                                                     const Window& window) {
  const WindowDims v(window);
  return dnn::describe<dnn::PoolingForward>(dnnl::prop_kind::forward_training, algorithm,
                                            dnn::image(x), dnn::image(pooled_shape(x, window)),
                                            v.stride, v.kernel, kNoDilation, v.before, v.after);
}

template <class P, class PrimitiveDesc>
Pooling made(const PrimitiveDesc& desc, dnn::Primitive::Signature signature,
             const dnn::Desc& workspace) {
  if (workspace.get_size() > 0) signature.emplace_back(DNNL_ARG_WORKSPACE, workspace);
  return {dnn::Primitive::make<P>(desc, std::move(signature)), workspace};
}

Pooling forward(dnnl::algorithm algorithm, const Shape& x, const Window& window) {
  const auto desc = describe_forward(algorithm, x, window);
  return made<dnn::PoolingForward>(
      desc, {{DNNL_ARG_SRC, dnn::image(x)}, {DNNL_ARG_DST, dnn::image(pooled_shape(x, window))}},
      desc.workspace_desc());
}

Pooling backward(dnnl::algorithm algorithm, const Shape& x, const Window& window) {
  const WindowDims v(window);
  const auto hint = describe_forward(algorithm, x, window);
  const auto image = dnn::image(x), y = dnn::image(pooled_shape(x, window));
  const auto desc = dnn::describe_backward<dnn::PoolingBackward>(
      hint, algorithm, image, y, v.stride, v.kernel, kNoDilation, v.before, v.after);
  return made<dnn::PoolingBackward>(desc, {{DNNL_ARG_DIFF_SRC, image}, {DNNL_ARG_DIFF_DST, y}},
                                    hint.workspace_desc());
}

// Of either direction.
double work(const Shape& x) {
  return kWorkOfByte * 6 * static_cast<double>(x.elements());
}

dnn::Key key(const Shape& x, const Window& window) {
  return dnn::key({x.sizes(), numbers(window)});
}

}  // namespace

MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  const Shape shape = pooled_shape(x.shape(), window);
  if (x.elements() == 0) return {Tensor(shape), Tensor({0}, DType::kUint8)};
  const ThreadsForWork threads(work(x.shape()));
  static Poolings cache;
  const auto pooling =
      cache.find(key(x.shape(), window), [&] { return forward(kMax, x.shape(), window); });
  MaxPool2dResult r{Tensor::uninitialized(shape), dnn::opaque(pooling->workspace)};
  pooling->primitive.run({&x, &r.y, &r.workspace});
  return r;
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  if (dy.elements() == 0) return Tensor(x_shape);
  const ThreadsForWork threads(work(x_shape));
  static Poolings cache;
  const auto pooling =
      cache.find(key(x_shape, window), [&] { return backward(kMax, x_shape, window); });
  require(workspace.defined() && workspace.dtype() == DType::kUint8 &&
              workspace.bytes() == pooling->workspace.get_size(),
          "max_pool2d_dx", "wants the workspace that this twin's max_pool2d wrote for input ",
          x_shape);
  Tensor dx = Tensor::uninitialized(x_shape);
  pooling->primitive.run({&dx, &dy, &workspace});
  return dx;
}

Tensor average_pool2d(const Tensor& x, const Window& window) {
  const Shape shape = pooled_shape(x.shape(), window);
  if (x.elements() == 0) return Tensor(shape);
  const ThreadsForWork threads(work(x.shape()));
  static Poolings cache;
  const auto pooling =
      cache.find(key(x.shape(), window), [&] { return forward(kAverage, x.shape(), window); });
  Tensor y = Tensor::uninitialized(shape);
  pooling->primitive.run({&x, &y});
  return y;
}

Tensor average_pool2d_dx(const Tensor& dy, const Shape& x_shape, const Window& window) {
  check_pool_gradient(dy, x_shape, window);
  if (dy.elements() == 0) return Tensor(x_shape);
  const ThreadsForWork threads(work(x_shape));
  static Poolings cache;
  const auto pooling =
      cache.find(key(x_shape, window), [&] { return backward(kAverage, x_shape, window); });
  Tensor dx = Tensor::uninitialized(x_shape);
  pooling->primitive.run({&dx, &dy});
  return dx;
}

}  // namespace espalier::kernels::onednn
