#include "compress/runtime/sparse/windows.hpp"

#include <limits>

#include "compress/runtime/linear_parts.hpp"

namespace espalier::runtime::sparse {

using format::LayerKind;
using format::PackedLayer;

WindowRows window_rows(const PackedLayer& l, const Shape& padded) {
  if (l.kind == LayerKind::kDense) return {1, l.weight.shape[1], l.weight.shape[1]};
  return {l.kernel_h, l.kernel_w * padded[3], padded[2] * padded[3]};
}

void check_reach(const format::PackedLayer& l, const WindowRows& w, std::string_view where) {
  require(w.rows * w.stride + w.length <= std::numeric_limits<std::int32_t>::max(), where,
          "layer '", l.name, "' has windows of ", w.rows, " rows ", w.stride,
          " bytes apart, which offsets of 31 bits do not reach");
}

Windows windows_of(const PackedLayer& l, const Shape& padded, const PackedLayer* pool) {
  Windows w;
  const std::int64_t row = padded[2] * padded[3];
  if (l.kind == LayerKind::kDense) {
    for (std::int64_t n = 0; n < padded[0]; ++n) w.starts.push_back(n * l.weight.shape[1]);
    return w;
  }
  w.images = padded[0], w.image_bytes = padded[1] * row;
  const std::int64_t height = (padded[1] - l.kernel_h) / l.stride_h + 1,
                     width = (padded[2] - l.kernel_w) / l.stride_w + 1;
  const kernels::Window over = pool ? window_of(*pool) : kernels::Window{};
  w.pool = static_cast<int>(over.kernel_h * over.kernel_w);
  for (std::int64_t p = 0; p < over.out_h(height); ++p)
    for (std::int64_t q = 0; q < over.out_w(width); ++q)
      for (std::int64_t i = p * over.stride_h; i < p * over.stride_h + over.kernel_h; ++i)
        for (std::int64_t j = q * over.stride_w; j < q * over.stride_w + over.kernel_w; ++j)
          w.starts.push_back(i * l.stride_h * row + j * l.stride_w * padded[3]);
  return w;
}

std::int64_t windows_per_image(const PackedLayer& l, const Shape& padded, const PackedLayer* pool) {
  if (l.kind == LayerKind::kDense) return padded[0];
  const kernels::Window over = pool ? window_of(*pool) : kernels::Window{};
  return over.out_h((padded[1] - l.kernel_h) / l.stride_h + 1) *
         over.out_w((padded[2] - l.kernel_w) / l.stride_w + 1) * over.kernel_h * over.kernel_w;
}

bool pools_with(const PackedLayer& l) {
  const std::int64_t size = l.kernel_h * l.kernel_w;
  return l.kind == LayerKind::kMaxPool2d && !pads(l) && l.stride_h >= l.kernel_h &&
         l.stride_w >= l.kernel_w && (size == 1 || size == 2 || size == 4 || size == 8);
}

}  // namespace espalier::runtime::sparse
