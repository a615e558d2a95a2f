// Integer convolution and dense layers: oneDNN multiplies unsigned levels by signed weights into
// int32 and does nothing else, because what it would do next differs between its versions by a
// unit. Bias, zero point and requantization are our own loops.
#include <cstring>
#include <span>

#include "compress/runtime/linear_parts.hpp"
#include "compress/runtime/loops/levels.hpp"
#include "compress/runtime/onednn/steps.hpp"
#include "core/kernels/integer.hpp"
#include "core/kernels/onednn/window_dims.hpp"
#include "core/onednn/execution.hpp"

namespace espalier::runtime::onednn {
namespace {

using format::LayerKind;
using format::PackedLayer;

loops::Requantization requantization(const PackedLayer& l, const format::ActivationGrid& x,
                                     const format::ActivationGrid& y) {
  ChannelSums sums = channel_sums(l, x, y);
  loops::Requantization r{.bias = std::move(sums.bias),
                          .multiplier = std::move(sums.multiplier),
                          .zero_point = y.zero_point,
                          .relu = l.relu};
  loops::repeat_channels(r);
  return r;
}

dnn::Execution convolution(const PackedLayer& l, void* x, const Shape& x_shape, bool padded,
                           std::int32_t* sums, const Shape& y_shape) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));
  const auto x_desc = dnn::image(x_shape, DType::kUint8),
             y_desc = dnn::image(y_shape, DType::kInt32);
  kernels::Window window = window_of(l);
  if (padded) window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 0;
  const kernels::onednn::WindowDims v(window);
  const bool depthwise = l.kind == LayerKind::kDepthwiseConv2d;
  const auto ours = depthwise ? dnn::depthwise_weights(w, DType::kInt8)
                              : dnn::weights(w, DType::kInt8),
             any = depthwise ? dnn::any_depthwise_weights(w, DType::kInt8)
                             : dnn::any_weights(w, DType::kInt8);
  const auto desc = dnn::describe<dnnl::convolution_forward>(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x_desc, any, y_desc,
      v.stride, v.before, v.after);
  Tensor weights = dnn::rearranged(l.weight.levels.data(), ours, desc.weights_desc());
  return dnn::Execution::make<dnnl::convolution_forward>(
      desc,
      {{DNNL_ARG_SRC, dnn::at(x, x_desc)},
       {DNNL_ARG_WEIGHTS, dnn::opaque_memory(weights, desc.weights_desc())},
       {DNNL_ARG_DST, dnn::at(sums, y_desc)}},
      weights);
}

dnn::Execution product(const PackedLayer& l, void* x, std::int64_t batch, std::int32_t* sums) {
  const Shape w(std::span<const std::int64_t>(l.weight.shape));  // [OUT IN]
  const auto x_desc = dnn::rows({batch, w[1]}, DType::kUint8),
             y_desc = dnn::rows({batch, w[0]}, DType::kInt32);
  const auto desc = dnn::describe<dnnl::matmul>(x_desc, dnn::any_columns(w, DType::kInt8), y_desc);
  Tensor weights =
      dnn::rearranged(l.weight.levels.data(), dnn::columns(w, DType::kInt8), desc.weights_desc());
  return dnn::Execution::make<dnnl::matmul>(
      desc,
      {{DNNL_ARG_SRC, dnn::at(x, x_desc)},
       {DNNL_ARG_WEIGHTS, dnn::opaque_memory(weights, desc.weights_desc())},
       {DNNL_ARG_DST, dnn::at(sums, y_desc)}},
      weights);
}

}  // namespace

bool pads_by_copy(const PackedLayer& l, const format::ActivationGrid& x) {
  return format::has_window(l.kind) && x.zero_point != 0 && pads(l);
}

Step integer_linear(const PackedLayer& l, const Activation& x, const Activation& y,
                    Workspace& workspace) {
  std::int32_t* sums = workspace.sums.mutable_data<std::int32_t>();
  const std::span<const std::int32_t> written(sums, static_cast<std::size_t>(y.shape.elements()));
  const bool pad = pads_by_copy(l, x.grid);
  const Shape padded_to =
      pad ? padded_shape(l, x.shape[0], {x.shape[1], x.shape[2], x.shape[3]}) : x.shape;
  std::uint8_t* input = pad ? workspace.padded.mutable_data<std::uint8_t>() : x.levels();
  auto multiply = l.kind == LayerKind::kDense
                      ? product(l, input, x.shape[0], sums)
                      : convolution(l, input, padded_to, pad, sums, y.shape);
  return [=, &l, multiply = std::move(multiply), r = requantization(l, x.grid, y.grid)] {
    if (pad) {
      // Layers share the buffer: its border is written anew.
      std::memset(input, x.grid.zero_point, static_cast<std::size_t>(padded_to.elements()));
      copy_inside(x.levels(), x.shape, l, input, padded_to);
    }
    multiply.run();
    if (y.grid.is_float())
      loops::scale_sums(written, r, y.floats());
    else
      loops::requantize_sums(written, r, y.levels());
  };
}

}  // namespace espalier::runtime::onednn
