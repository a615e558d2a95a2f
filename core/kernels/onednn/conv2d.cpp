#include "core/kernels/conv2d.hpp"

#include <optional>

#include "core/kernels/onednn/window_dims.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// The images lie as they are, N H W C. oneDNN chooses the weights' layout; `reorder` goes between
// that and ours, O H W I, where they differ.
struct Convolution {
  dnn::Primitive primitive;
  dnn::Desc weights;
  std::optional<dnn::Primitive> reorder;
};
using Convolutions = dnn::Cache<Convolution>;

dnn::Key key(const Shape& x, const Shape& w, const Window& window) {
  return dnn::key({x.sizes(), w.sizes(), numbers(window)});
}

dnnl::convolution_forward::primitive_desc forward(const Shape& x, const Shape& w, const Shape& y,
                                                  const Window& window) {
  const WindowDims v(window);
  return dnn::describe<dnnl::convolution_forward>(dnnl::prop_kind::forward_training, kDirect,
                                                  dnn::image(x), dnn::any_weights(w), dnn::image(y),
                                                  v.stride, v.before, v.after);
}

// For the primitives that read weights.
template <class P>
Convolution reading(const typename P::primitive_desc& desc, const Shape& w) {
  Convolution result{dnn::Primitive::make<P>(desc), desc.weights_desc(), std::nullopt};
  if (result.weights != dnn::weights(w))
    result.reorder = dnn::Primitive::reorder(dnn::weights(w), result.weights);
  return result;
}

// Runs a primitive that reads weights, having brought them into its layout.
void run_reading(const Convolution& convolution, const Tensor& w, dnn::Arguments arguments) {
  Tensor arranged;  // lives until the work is done
  auto memory = dnn::input(w, dnn::weights(w.shape()));
  if (convolution.reorder) {
    arranged = dnn::opaque(convolution.weights);
    const auto target = dnn::opaque_memory(arranged, convolution.weights);
    convolution.reorder->run({{DNNL_ARG_FROM, memory}, {DNNL_ARG_TO, target}});
    memory = target;
  }
  arguments.emplace(DNNL_ARG_WEIGHTS, memory);
  convolution.primitive.run(std::move(arguments));
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window) {
  const Shape shape = convolved_shape(x.shape(), w.shape(), window);
  if (x.elements() == 0 || w.elements() == 0) return Tensor(shape);
  static Convolutions cache;
  const auto convolution = cache.find(key(x.shape(), w.shape(), window), [&] {
    return reading<dnnl::convolution_forward>(forward(x.shape(), w.shape(), shape, window),
                                              w.shape());
  });
  Tensor y = Tensor::uninitialized(shape);
  run_reading(*convolution, w,
              {{DNNL_ARG_SRC, dnn::input(x, dnn::image(x.shape()))},
               {DNNL_ARG_DST, dnn::output(y, dnn::image(shape))}});
  return y;
}

Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x_shape, w.shape(), window), "conv2d_dx", "gradient ",
          dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  if (dy.elements() == 0 || w.elements() == 0) return Tensor(x_shape);
  static Convolutions cache;
  const auto convolution = cache.find(key(x_shape, w.shape(), window), [&] {
    const WindowDims v(window);
    return reading<dnnl::convolution_backward_data>(
        dnn::describe_backward<dnnl::convolution_backward_data>(
            forward(x_shape, w.shape(), dy.shape(), window), kDirect, dnn::image(x_shape),
            dnn::any_weights(w.shape()), dnn::image(dy.shape()), v.stride, v.before, v.after),
        w.shape());
  });
  Tensor dx = Tensor::uninitialized(x_shape);
  run_reading(*convolution, w,
              {{DNNL_ARG_DIFF_DST, dnn::input(dy, dnn::image(dy.shape()))},
               {DNNL_ARG_DIFF_SRC, dnn::output(dx, dnn::image(x_shape))}});
  return dx;
}

Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x.shape(), w_shape, window), "conv2d_dw", "gradient ",
          dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  if (dy.elements() == 0 || x.elements() == 0) return Tensor(w_shape);
  const auto ours = dnn::weights(w_shape);
  static Convolutions cache;
  const auto convolution = cache.find(key(x.shape(), w_shape, window), [&] {
    const WindowDims v(window);
    const auto desc = dnn::describe_backward<dnnl::convolution_backward_weights>(
        forward(x.shape(), w_shape, dy.shape(), window), kDirect, dnn::image(x.shape()),
        dnn::any_weights(w_shape), dnn::image(dy.shape()), v.stride, v.before, v.after);
    Convolution result{dnn::Primitive::make<dnnl::convolution_backward_weights>(desc),
                       desc.diff_weights_desc(), std::nullopt};
    if (result.weights != ours) result.reorder = dnn::Primitive::reorder(result.weights, ours);
    return result;
  });
  Tensor dw = Tensor::uninitialized(w_shape), arranged;
  const auto target = dnn::output(dw, ours);
  auto memory = target;
  if (convolution->reorder) {
    arranged = dnn::opaque(convolution->weights);
    memory = dnn::opaque_memory(arranged, convolution->weights);
  }
  convolution->primitive.run({{DNNL_ARG_SRC, dnn::input(x, dnn::image(x.shape()))},
                              {DNNL_ARG_DIFF_DST, dnn::input(dy, dnn::image(dy.shape()))},
                              {DNNL_ARG_DIFF_WEIGHTS, memory}});
  if (convolution->reorder)
    convolution->reorder->run({{DNNL_ARG_FROM, memory}, {DNNL_ARG_TO, target}});
  return dw;
}

}  // namespace espalier::kernels::onednn
