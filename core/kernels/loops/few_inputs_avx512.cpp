#include "core/kernels/loops/few_inputs.hpp"

#include "core/kernels/avx512.hpp"

#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <utility>

namespace espalier::kernels::loops {
namespace {

constexpr int kLanes = 16, kSums = 24;  // of 32 registers

// `Pixels` side by side, their outputs in `Wide` registers.
template <int Wide, int Pixels>
ESPALIER_AVX512 void block(const float* x, float* y, const OutputRow& r) {
  __m512 sums[Pixels][Wide];
#pragma GCC unroll 32
  for (int p = 0; p < Pixels; ++p)
#pragma GCC unroll 32
    for (int j = 0; j < Wide; ++j) sums[p][j] = _mm512_loadu_ps(r.bias + j * kLanes);
  const float* w = r.weights;
  for (const std::int32_t tap : r.taps) {
    __m512 weights[Wide];
#pragma GCC unroll 32
    for (int j = 0; j < Wide; ++j) weights[j] = _mm512_loadu_ps(w + j * kLanes);
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p) {
      const __m512 value = _mm512_set1_ps(x[tap + p]);
#pragma GCC unroll 32
      for (int j = 0; j < Wide; ++j) sums[p][j] = _mm512_fmadd_ps(weights[j], value, sums[p][j]);
    }
    w += kMostOutputs;
  }
#pragma GCC unroll 32
  for (int j = 0; j < Wide; ++j) {
    const __mmask16 mask = first_lanes(r.outputs - j * kLanes);
#pragma GCC unroll 32
    for (int p = 0; p < Pixels; ++p)
      _mm512_mask_storeu_ps(y + p * r.outputs + j * kLanes, mask, sums[p][j]);
  }
}

using Block = void (*)(const float*, float*, const OutputRow&);
template <int Wide, int... I>
constexpr std::array<Block, sizeof...(I)> blocks(std::integer_sequence<int, I...>) {
  return {block<Wide, I + 1>...};
}

// All pixels, in blocks of nearly the same size.
template <int Wide>
void pixels(const float* x, float* y, const OutputRow& r) {
  constexpr int kMost = kSums / Wide;
  static constexpr auto kBlocks = blocks<Wide>(std::make_integer_sequence<int, kMost>());
  const std::int64_t parts = (r.pixels + kMost - 1) / kMost;
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t q = r.pixels * i / parts, size = r.pixels * (i + 1) / parts - q;
    kBlocks[static_cast<std::size_t>(size - 1)](x + q, y + q * r.outputs, r);
  }
}

}  // namespace

void row_avx512(const float* x, float* y, const OutputRow& r) {
  r.outputs > kLanes ? pixels<2>(x, y, r) : pixels<1>(x, y, r);
}

}  // namespace espalier::kernels::loops
#endif
