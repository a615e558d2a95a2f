// Float convolution and dense layers, bias and relu fused.
#include "compress/runtime/onednn/steps.hpp"
#include "core/kernels/onednn/window_dims.hpp"
#include "core/onednn/execution.hpp"

namespace espalier::runtime::onednn {
namespace {

using format::LayerKind;
using format::PackedLayer;

const dnnl::primitive_attr& attributes_of(const PackedLayer& l) {
  return l.relu ? dnn::relu_after() : dnn::attributes();
}

// [C]; zeros where the layer has none.
Tensor bias_of(const PackedLayer& l) {
  return l.bias.empty() ? Tensor({l.weight.shape[0]})
                        : Tensor::from<float>({l.weight.shape[0]}, l.bias);
}

// The primitive P of this description, bound to the layer's weights (which lie as `given` says) and
// bias, and to its input and output.
template <class P>
Step bound(const typename P::primitive_desc& desc, const PackedLayer& l, const dnn::Desc& given,
           const dnn::Desc& bias_desc, dnnl::memory x, dnnl::memory y) {
  const std::vector<float> values = float_weights(l.weight);
  Tensor weights = dnn::rearranged(values.data(), given, desc.weights_desc());
  Tensor bias = bias_of(l);
  auto execution =
      dnn::Execution::make<P>(desc,
                              {{DNNL_ARG_SRC, std::move(x)},
                               {DNNL_ARG_WEIGHTS, dnn::opaque_memory(weights, desc.weights_desc())},
                               {DNNL_ARG_BIAS, dnn::input(bias, bias_desc)},
                               {DNNL_ARG_DST, std::move(y)}},
                              weights);
  return [execution = std::move(execution), bias = std::move(bias)] { execution.run(); };
}

Step convolution(const PackedLayer& l, const Activation& x, const Activation& y) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));
  const auto x_desc = dnn::image(x.shape), y_desc = dnn::image(y.shape),
             bias_desc = dnn::vector(w[0]);
  const kernels::onednn::WindowDims v(window_of(l));
  const bool depthwise = l.kind == LayerKind::kDepthwiseConv2d;
  const auto ours = depthwise ? dnn::depthwise_weights(w) : dnn::weights(w),
             any = depthwise ? dnn::any_depthwise_weights(w) : dnn::any_weights(w);
  const auto desc = dnn::describe_with<dnnl::convolution_forward>(
      attributes_of(l), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      x_desc, any, bias_desc, y_desc, v.stride, v.before, v.after);
  return bound<dnnl::convolution_forward>(desc, l, ours, bias_desc, dnn::at(x.data, x_desc),
                                          dnn::at(y.data, y_desc));
}

Step product(const PackedLayer& l, const Activation& x, const Activation& y) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));  // [OUT IN]
  const auto x_desc = dnn::rows({x.shape[0], w[1]}), y_desc = dnn::rows({x.shape[0], w[0]}),
             bias_desc = dnn::rows({1, w[0]});
  const auto desc = dnn::describe_with<dnnl::matmul>(attributes_of(l), x_desc, dnn::any_columns(w),
                                                     bias_desc, y_desc);
  return bound<dnnl::matmul>(desc, l, dnn::columns(w), bias_desc, dnn::at(x.data, x_desc),
                             dnn::at(y.data, y_desc));
}

}  // namespace

Step float_linear(const PackedLayer& l, const Activation& x, const Activation& y) {
  return l.kind == LayerKind::kDense ? product(l, x, y) : convolution(l, x, y);
}

}  // namespace espalier::runtime::onednn
