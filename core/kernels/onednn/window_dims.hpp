// A Window in the words of oneDNN.
#pragma once

#include <array>

#include "core/kernels/window.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {

struct WindowDims {
  explicit WindowDims(const Window& v)
      : kernel{v.kernel_h, v.kernel_w},
        stride{v.stride_h, v.stride_w},
        before{v.pad_top, v.pad_left},
        after{v.pad_bottom, v.pad_right} {}
  dnnl::memory::dims kernel, stride, before, after;
};

// The window as part of a cache's key.
inline std::array<std::int64_t, 8> numbers(const Window& v) {
  return {v.kernel_h, v.kernel_w, v.stride_h,   v.stride_w,
          v.pad_top,  v.pad_left, v.pad_bottom, v.pad_right};
}

}  // namespace espalier::kernels::onednn
