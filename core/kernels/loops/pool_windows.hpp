// Max pooling of windows that tile the image, in AVX-512 registers along the channels: a row of
// windows at a time. Twin: reference::max_pool2d. (With AVX2, oneDNN's is faster than such loops.)
#pragma once

#include <cstdint>

namespace espalier::kernels::loops {

// `high` x `wide` pixels a window, fewer than 255, rows `row` floats apart, `windows` of them side by
// side. `relu`: of max(x, 0) instead of x.
struct Tiling {
  std::int64_t high, wide, row, channels, windows;
  bool relu;
};
inline constexpr std::uint8_t kNowhere = 255;

// y[q, c] = the largest of window q's numbers; where[q, c] = the number of the first pixel that has
// it, kNowhere where a relu cuts it off.
void pool_windows(const float* x, float* y, std::uint8_t* where, const Tiling& tiling);
// dx = dy in that pixel, 0 in the window's others
void spread_windows(const float* dy, const std::uint8_t* where, float* dx, const Tiling& tiling);

}  // namespace espalier::kernels::loops
