// Pooling: oneDNN's maximum is exact on levels, and its average on floats is ours.
#include "compress/runtime/onednn/steps.hpp"
#include "core/kernels/onednn/window_dims.hpp"
#include "core/onednn/execution.hpp"

namespace espalier::runtime::onednn {

Step pool2d(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  const auto x_desc = dnn::image(x.shape, x.dtype()), y_desc = dnn::image(y.shape, y.dtype());
  const kernels::onednn::WindowDims v(window_of(l));
  const dnnl::memory::dims no_dilation{0, 0};
  const auto algorithm = l.kind == format::LayerKind::kMaxPool2d
                             ? dnnl::algorithm::pooling_max
                             : dnnl::algorithm::pooling_avg_exclude_padding;
  const auto desc = dnn::describe<dnn::PoolingForward>(dnnl::prop_kind::forward_inference,
                                                       algorithm, x_desc, y_desc, v.stride,
                                                       v.kernel, no_dilation, v.before, v.after);
  return [pool = dnn::Execution::make<dnn::PoolingForward>(
              desc, {{DNNL_ARG_SRC, dnn::at(x.data, x_desc)},
                     {DNNL_ARG_DST, dnn::at(y.data, y_desc)}})] { pool.run(); };
}

}  // namespace espalier::runtime::onednn
