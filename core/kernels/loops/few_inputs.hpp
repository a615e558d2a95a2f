// Forward convolution of images with few channels, vectors along the outputs. What a dense
// convolution likes to put into its vectors, input channels, there are too few of.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::kernels::loops {

inline constexpr std::int64_t kMostOutputs = 32;

// A row of y: `pixels` side by side, of `outputs` numbers each, at most kMostOutputs. Tap t of pixel p reads
// x[taps[t] + p]; its weights for all outputs, filled up with zeros to kMostOutputs, are the t-th
// row of `weights`. `bias` is as long as such a row. (AVX2 has too few registers to beat oneDNN.)
struct OutputRow {
  std::int64_t pixels, outputs;
  std::span<const std::int32_t> taps;
  const float *weights, *bias;
};

#if defined(__x86_64__)
void row_avx512(const float* x, float* y, const OutputRow& r);
#endif

}  // namespace espalier::kernels::loops
