#include "core/kernels/onednn/convolution.hpp"

#include <array>

#include "core/kernels/onednn/operand.hpp"
#include "core/kernels/onednn/window_dims.hpp"
#include "core/kernels/precision.hpp"

namespace espalier::kernels::onednn {
namespace {

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// The images lie as they are, N H W C. oneDNN chooses the weights' layout. In bf16, both factors are
// rounded on the way; the result is float32.
struct Convolution {
  dnn::Primitive primitive;
  Operand first, second, result;
};
using Convolutions = dnn::Cache<Convolution>;

dnn::Key key(Channels channels, const Shape& x, const Shape& w, const Window& window,
             bool bias = false) {
  const std::array<std::int64_t, 3> kind{static_cast<std::int64_t>(channels),
                                         static_cast<std::int64_t>(precision()), bias};
  return dnn::key({kind, x.sizes(), w.sizes(), numbers(window)});
}

dnn::Desc our_weights(Channels channels, const Shape& w) {
  return channels == Channels::kAll ? dnn::weights(w) : dnn::depthwise_weights(w);
}
dnn::Desc any_weights(Channels channels, const Shape& w) {
  return channels == Channels::kAll ? dnn::any_weights(w) : dnn::any_depthwise_weights(w);
}
// As a factor of a product, in the precision that is in force.
dnn::Desc factor(const dnn::Desc& desc) {
  return precision() == Precision::kBf16 ? dnn::bf16(desc) : desc;
}

dnnl::convolution_forward::primitive_desc forward(Channels channels, const Shape& x, const Shape& w,
                                                  const Shape& y, const Window& window,
                                                  bool bias = false) {
  const WindowDims v(window);
  const auto src = factor(dnn::image(x)), weights = factor(any_weights(channels, w)),
             dst = dnn::image(y);
  if (bias)
    return dnn::describe<dnnl::convolution_forward>(dnnl::prop_kind::forward_training, kDirect, src,
                                                    weights, dnn::vector(w[0]), dst, v.stride,
                                                    v.before, v.after);
  return dnn::describe<dnnl::convolution_forward>(dnnl::prop_kind::forward_training, kDirect, src,
                                                  weights, dst, v.stride, v.before, v.after);
}

double work(const Shape& y, const Shape& w) {
  return static_cast<double>(y.elements() * w[1] * w[2] * w[3]);
}

// `arguments`: how oneDNN numbers first, second and result; `bias`, of how many numbers there is one.
template <class P, class PrimitiveDesc>
Convolution made(const PrimitiveDesc& desc, std::array<int, 3> arguments, Operand first,
                 Operand second, Operand result, std::int64_t bias = 0) {
  dnn::Primitive::Signature signature{
      {arguments[0], first.desc()}, {arguments[1], second.desc()}, {arguments[2], result.desc()}};
  if (bias > 0) signature.emplace_back(DNNL_ARG_BIAS, dnn::vector(bias));
  return {dnn::Primitive::make<P>(desc, std::move(signature)), std::move(first), std::move(second),
          std::move(result)};
}

Tensor run(const Convolution& convolution, const Tensor& first, const Tensor& second,
           const Shape& shape, const Tensor& bias = {}) {
  Tensor result = Tensor::uninitialized(shape);
  Tensor rooms[3];
  const Tensor *a = &convolution.first.read(first, rooms[0]),
               *b = &convolution.second.read(second, rooms[1]),
               *c = &convolution.result.written(result, rooms[2]);
  bias.defined() ? convolution.primitive.run({a, b, c, &bias})
                 : convolution.primitive.run({a, b, c});
  convolution.result.finish(result, rooms[2]);
  return result;
}

}  // namespace

Tensor convolve(Channels channels, const Tensor& x, const Tensor& w, const Shape& shape,
                const Window& window, const Tensor& bias) {
  if (x.elements() == 0 || w.elements() == 0) return Tensor(shape);
  const ThreadsForWork threads(work(shape, w.shape()));
  static Convolutions cache;
  const bool biased = bias.defined();
  const auto convolution = cache.find(key(channels, x.shape(), w.shape(), window, biased), [&] {
    const auto desc = forward(channels, x.shape(), w.shape(), shape, window, biased);
    const auto image = dnn::image(x.shape()), y = dnn::image(shape);
    return made<dnnl::convolution_forward>(
        desc, {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST}, Operand::input(image, factor(image)),
        Operand::input(our_weights(channels, w.shape()), desc.weights_desc()),
        Operand::output(y, y), biased ? bias.elements() : 0);
  });
  return run(*convolution, x, w, shape, bias);
}

Tensor convolve_dx(Channels channels, const Tensor& dy, const Tensor& w, const Shape& shape,
                   const Window& window) {
  if (dy.elements() == 0 || w.elements() == 0) return Tensor(shape);
  const ThreadsForWork threads(work(dy.shape(), w.shape()));
  static Convolutions cache;
  const auto convolution = cache.find(key(channels, shape, w.shape(), window), [&] {
    const WindowDims v(window);
    const auto image = dnn::image(dy.shape()), x = dnn::image(shape);
    const auto desc = dnn::describe_backward<dnnl::convolution_backward_data>(
        forward(channels, shape, w.shape(), dy.shape(), window), kDirect, x,
        factor(any_weights(channels, w.shape())), factor(image), v.stride, v.before, v.after);
    return made<dnnl::convolution_backward_data>(
        desc, {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC},
        Operand::input(image, factor(image)),
        Operand::input(our_weights(channels, w.shape()), desc.weights_desc()),
        Operand::output(x, x));
  });
  return run(*convolution, dy, w, shape);
}

Tensor convolve_dw(Channels channels, const Tensor& x, const Tensor& dy, const Shape& shape,
                   const Window& window) {
  if (dy.elements() == 0 || x.elements() == 0) return Tensor(shape);
  const ThreadsForWork threads(work(dy.shape(), shape));
  static Convolutions cache;
  const auto convolution = cache.find(key(channels, x.shape(), shape, window), [&] {
    const WindowDims v(window);
    const auto image = dnn::image(x.shape()), y = dnn::image(dy.shape());
    const auto desc = dnn::describe_backward<dnnl::convolution_backward_weights>(
        forward(channels, x.shape(), shape, dy.shape(), window), kDirect, factor(image),
        any_weights(channels, shape), factor(y), v.stride, v.before, v.after);
    return made<dnnl::convolution_backward_weights>(
        desc, {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS},
        Operand::input(image, factor(image)), Operand::input(y, factor(y)),
        Operand::output(our_weights(channels, shape), desc.diff_weights_desc()));
  });
  return run(*convolution, x, dy, shape);
}

}  // namespace espalier::kernels::onednn
