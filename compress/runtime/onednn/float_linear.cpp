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

Step step_of(dnn::Execution execution, Tensor bias) {
  return [execution = std::move(execution), bias = std::move(bias)] { execution.run(); };
}

Step convolution(const PackedLayer& l, const Activation& x, const Activation& y) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));
  const auto x_desc = dnn::image(x.shape), y_desc = dnn::image(y.shape),
             bias_desc = dnn::vector(w[0]);
  const kernels::onednn::WindowDims v(window_of(l));
  const auto desc = dnn::describe_with<dnnl::convolution_forward>(
      attributes_of(l), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      x_desc, dnn::any_weights(w), bias_desc, y_desc, v.stride, v.before, v.after);
  Tensor weights = dnn::rearranged(l.weight.values.data(), dnn::weights(w), desc.weights_desc());
  const Tensor bias = bias_of(l);
  return step_of(dnn::Execution::make<dnnl::convolution_forward>(
                     desc,
                     {{DNNL_ARG_SRC, dnn::at(x.data, x_desc)},
                      {DNNL_ARG_WEIGHTS, dnn::opaque_memory(weights, desc.weights_desc())},
                      {DNNL_ARG_BIAS, dnn::input(bias, bias_desc)},
                      {DNNL_ARG_DST, dnn::at(y.data, y_desc)}},
                     weights),
                 bias);
}

Step product(const PackedLayer& l, const Activation& x, const Activation& y) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));  // [OUT IN]
  const auto x_desc = dnn::rows({x.shape[0], w[1]}), y_desc = dnn::rows({x.shape[0], w[0]}),
             bias_desc = dnn::rows({1, w[0]});
  const auto desc = dnn::describe_with<dnnl::matmul>(attributes_of(l), x_desc, dnn::any_columns(w),
                                                     bias_desc, y_desc);
  Tensor weights = dnn::rearranged(l.weight.values.data(), dnn::columns(w), desc.weights_desc());
  const Tensor bias = bias_of(l);
  return step_of(dnn::Execution::make<dnnl::matmul>(
                     desc,
                     {{DNNL_ARG_SRC, dnn::at(x.data, x_desc)},
                      {DNNL_ARG_WEIGHTS, dnn::opaque_memory(weights, desc.weights_desc())},
                      {DNNL_ARG_BIAS, dnn::input(bias, bias_desc)},
                      {DNNL_ARG_DST, dnn::at(y.data, y_desc)}},
                     weights),
                 bias);
}

}  // namespace

Step float_linear(const PackedLayer& l, const Activation& x, const Activation& y) {
  return l.kind == LayerKind::kConv2d ? convolution(l, x, y) : product(l, x, y);
}

}  // namespace espalier::runtime::onednn
