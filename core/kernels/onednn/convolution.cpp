#include "core/kernels/onednn/convolution.hpp"

#include <array>
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

dnn::Key key(Channels channels, const Shape& x, const Shape& w, const Window& window) {
  const std::array<std::int64_t, 1> kind{static_cast<std::int64_t>(channels)};
  return dnn::key({kind, x.sizes(), w.sizes(), numbers(window)});
}

dnn::Desc our_weights(Channels channels, const Shape& w) {
  return channels == Channels::kAll ? dnn::weights(w) : dnn::depthwise_weights(w);
}
dnn::Desc any_weights(Channels channels, const Shape& w) {
  return channels == Channels::kAll ? dnn::any_weights(w) : dnn::any_depthwise_weights(w);
}

dnnl::convolution_forward::primitive_desc forward(Channels channels, const Shape& x, const Shape& w,
                                                  const Shape& y, const Window& window,
                                                  bool bias = false) {
  const WindowDims v(window);
  if (bias)
    return dnn::describe<dnnl::convolution_forward>(
        dnnl::prop_kind::forward_training, kDirect, dnn::image(x), any_weights(channels, w),
        dnn::vector(w[0]), dnn::image(y), v.stride, v.before, v.after);
  return dnn::describe<dnnl::convolution_forward>(dnnl::prop_kind::forward_training, kDirect,
                                                  dnn::image(x), any_weights(channels, w),
                                                  dnn::image(y), v.stride, v.before, v.after);
}

// For the primitives that read weights.
template <class P>
Convolution reading(const typename P::primitive_desc& desc, const dnn::Desc& ours) {
  Convolution result{dnn::Primitive::make<P>(desc), desc.weights_desc(), std::nullopt};
  if (result.weights != ours) result.reorder = dnn::Primitive::reorder(ours, result.weights);
  return result;
}

// Runs a primitive that reads weights, having brought them into its layout.
void run_reading(const Convolution& convolution, const Tensor& w, const dnn::Desc& ours,
                 dnn::Arguments arguments) {
  Tensor arranged;  // lives until the work is done
  auto memory = dnn::input(w, ours);
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

Tensor convolve(Channels channels, const Tensor& x, const Tensor& w, const Shape& shape,
                const Window& window, const Tensor& bias) {
  if (x.elements() == 0 || w.elements() == 0) return Tensor(shape);
  const dnn::Desc ours = our_weights(channels, w.shape());
  static Convolutions cache;
  dnn::Key wanted = key(channels, x.shape(), w.shape(), window);
  wanted.push_back(bias.defined());
  const auto convolution = cache.find(wanted, [&] {
    return reading<dnnl::convolution_forward>(
        forward(channels, x.shape(), w.shape(), shape, window, bias.defined()), ours);
  });
  Tensor y = Tensor::uninitialized(shape);
  dnn::Arguments arguments{{DNNL_ARG_SRC, dnn::input(x, dnn::image(x.shape()))},
                           {DNNL_ARG_DST, dnn::output(y, dnn::image(shape))}};
  if (bias.defined())
    arguments.emplace(DNNL_ARG_BIAS, dnn::input(bias, dnn::vector(bias.elements())));
  run_reading(*convolution, w, ours, std::move(arguments));
  return y;
}

Tensor convolve_dx(Channels channels, const Tensor& dy, const Tensor& w, const Shape& shape,
                   const Window& window) {
  if (dy.elements() == 0 || w.elements() == 0) return Tensor(shape);
  const dnn::Desc ours = our_weights(channels, w.shape());
  static Convolutions cache;
  const auto convolution = cache.find(key(channels, shape, w.shape(), window), [&] {
    const WindowDims v(window);
    return reading<dnnl::convolution_backward_data>(
        dnn::describe_backward<dnnl::convolution_backward_data>(
            forward(channels, shape, w.shape(), dy.shape(), window), kDirect, dnn::image(shape),
            any_weights(channels, w.shape()), dnn::image(dy.shape()), v.stride, v.before, v.after),
        ours);
  });
  Tensor dx = Tensor::uninitialized(shape);
  run_reading(*convolution, w, ours,
              {{DNNL_ARG_DIFF_DST, dnn::input(dy, dnn::image(dy.shape()))},
               {DNNL_ARG_DIFF_SRC, dnn::output(dx, dnn::image(shape))}});
  return dx;
}

Tensor convolve_dw(Channels channels, const Tensor& x, const Tensor& dy, const Shape& shape,
                   const Window& window) {
  if (dy.elements() == 0 || x.elements() == 0) return Tensor(shape);
  const dnn::Desc ours = our_weights(channels, shape);
  static Convolutions cache;
  const auto convolution = cache.find(key(channels, x.shape(), shape, window), [&] {
    const WindowDims v(window);
    const auto desc = dnn::describe_backward<dnnl::convolution_backward_weights>(
        forward(channels, x.shape(), shape, dy.shape(), window), kDirect, dnn::image(x.shape()),
        any_weights(channels, shape), dnn::image(dy.shape()), v.stride, v.before, v.after);
    Convolution result{dnn::Primitive::make<dnnl::convolution_backward_weights>(desc),
                       desc.diff_weights_desc(), std::nullopt};
    if (result.weights != ours) result.reorder = dnn::Primitive::reorder(result.weights, ours);
    return result;
  });
  Tensor dw = Tensor::uninitialized(shape), arranged;
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
