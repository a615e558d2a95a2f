// The window that convolution and pooling slide over an image: size, stride and zero padding.
#pragma once

#include "core/tensor/shape.hpp"

namespace espalier::kernels {

struct Window {
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  std::int64_t out_h(std::int64_t h) const {
    return (h + pad_top + pad_bottom - kernel_h) / stride_h + 1;
  }
  std::int64_t out_w(std::int64_t w) const {
    return (w + pad_left + pad_right - kernel_w) / stride_w + 1;
  }
  bool operator==(const Window&) const = default;
};

// Output shape of a pooling window over x [N H W C]: [N OH OW C].
Shape pooled_shape(const Shape& x, const Window& window);
// Output shape of x [N H W C] convolved with w [O H W I]: [N OH OW O].
Shape convolved_shape(const Shape& x, const Shape& w, const Window& window);
// Output shape of x [N H W C] convolved channel by channel with w [C H W 1]: [N OH OW C].
Shape depthwise_shape(const Shape& x, const Shape& w, const Window& window);
// All fail (usage) naming the shapes when ranks, channels or sizes do not fit, when a stride is
// not positive, or when the padding is negative or as large as the kernel.

}  // namespace espalier::kernels
