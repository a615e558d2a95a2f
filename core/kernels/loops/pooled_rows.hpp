// Convolution of images with few channels (few_inputs.hpp) with relu and 2 x 2 max pooling behind it,
// in registers from the first product to the maximum, and the gradients on the way back.
#pragma once

#include <cstdint>
#include <span>

#include "core/kernels/loops/few_inputs.hpp"

namespace espalier::kernels::loops {

// Tap t of a window's output (i, j) reads x[taps[t] + i * down + j + 2 * window].
struct PooledWindows {
  std::int64_t windows, outputs;  // of a row; of a window, at most kMostOutputs
  std::int64_t down;
  std::span<const std::int32_t> taps;
  // [windows] of each row: whether any input of the window is not 0.
  std::span<const std::uint8_t> lit;
};

#if defined(__x86_64__)
// Whether each of `count` numbers, at most 64, is not 0: bit i that of x[i].
std::uint64_t nonzeros_avx512(const float* x, std::int64_t count);

// A row of windows, y and where as pool_windows writes them. weights, bias: as in OutputRow.
void pooled_row_avx512(const float* x, const float* weights, const float* bias, float* y,
                       std::uint8_t* where, const PooledWindows& r);

// An image's gradients. dw: [taps kMostOutputs]; dbias: [kMostOutputs]; of the groups of 16
// outputs that there are. Rows of windows read x `step` floats apart.
void pooled_gradient_avx512(const float* x, const float* dy, const std::uint8_t* where, float* dw,
                            float* dbias, std::int64_t rows, std::int64_t step,
                            const PooledWindows& r);
#endif

}  // namespace espalier::kernels::loops
