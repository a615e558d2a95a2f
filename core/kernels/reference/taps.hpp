// The pairs of pixels that a convolution's window joins.
#pragma once

#include "core/kernels/window.hpp"

namespace espalier::kernels::reference {

// Calls visit(offset of y's pixel, of x's pixel, of w's tap) for every pair of pixels that a tap
// joins. Offsets count pixels and taps: multiply by the channels.
template <class Visit>
void for_each_tap(const Shape& x, const Shape& y, const Window& v, Visit visit) {
  for (std::int64_t n = 0; n < x[0]; ++n)
    for (std::int64_t p = 0; p < y[1]; ++p)
      for (std::int64_t q = 0; q < y[2]; ++q)
        for (std::int64_t i = 0; i < v.kernel_h; ++i)
          for (std::int64_t j = 0; j < v.kernel_w; ++j) {
            const std::int64_t h = p * v.stride_h - v.pad_top + i,
                               w = q * v.stride_w - v.pad_left + j;
            if (h < 0 || h >= x[1] || w < 0 || w >= x[2]) continue;
            visit((n * y[1] + p) * y[2] + q, (n * x[1] + h) * x[2] + w, i * v.kernel_w + j);
          }
}

}  // namespace espalier::kernels::reference
