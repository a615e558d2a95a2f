// Max pooling of windows that tile the image, in vector registers along the channels: a row of
// windows at a time. Twins: reference::max_pool2d.
#pragma once

#include <cstdint>

namespace espalier::kernels::loops {

// `high` x `wide` pixels a window, rows `row` floats apart, `windows` of them side by side.
struct Tiling {
  std::int64_t high, wide, row, channels, windows;
};

struct PoolWindows {
  // y[q, c] = the largest of window q's numbers
  void (*forward)(const float* x, float* y, const Tiling& tiling);
  // dx = dy where the first of the largest stands, 0 in the window's other pixels
  void (*backward)(const float* x, const float* dy, float* dx, const Tiling& tiling);
};

#if defined(__x86_64__)
extern const PoolWindows kPoolAvx2;
extern const PoolWindows kPoolAvx512;  // F and VL
#endif

}  // namespace espalier::kernels::loops
