#include "core/kernels/loops/pool_windows.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#define ESPALIER_AVX512 __attribute__((target("avx512f,avx512vl")))

namespace espalier::kernels::loops {
namespace {

constexpr std::int64_t kLanes = 16;

ESPALIER_AVX512 inline __mmask16 lanes(std::int64_t left) {
  return static_cast<__mmask16>(left >= kLanes ? 0xFFFFu : (1u << left) - 1);
}

// Of the window whose first numbers are x's. max_ps keeps its second operand where one is NaN.
ESPALIER_AVX512 inline __m512 largest(const float* x, __mmask16 mask, const Tiling& t) {
  __m512 best = _mm512_maskz_loadu_ps(mask, x);
  for (std::int64_t i = 0; i < t.high; ++i)
    for (std::int64_t j = 0; j < t.wide; ++j)
      best = _mm512_max_ps(_mm512_maskz_loadu_ps(mask, x + i * t.row + j * t.channels), best);
  return best;
}

ESPALIER_AVX512 void forward(const float* x, float* y, const Tiling& t) {
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const __mmask16 mask = lanes(t.channels - c);
      _mm512_mask_storeu_ps(y + q * t.channels + c, mask,
                            largest(x + q * t.wide * t.channels + c, mask, t));
    }
}

ESPALIER_AVX512 void backward(const float* x, const float* dy, float* dx, const Tiling& t) {
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const std::int64_t corner = q * t.wide * t.channels + c;
      const __mmask16 mask = lanes(t.channels - c);
      const __m512 best = largest(x + corner, mask, t);
      const __m512 gradient = _mm512_maskz_loadu_ps(mask, dy + q * t.channels + c);
      __mmask16 open = mask;  // whose largest was not met yet
      for (std::int64_t i = 0; i < t.high; ++i)
        for (std::int64_t j = 0; j < t.wide; ++j) {
          const std::int64_t at = corner + i * t.row + j * t.channels;
          const __mmask16 here =
              _mm512_mask_cmp_ps_mask(open, _mm512_maskz_loadu_ps(mask, x + at), best, _CMP_EQ_UQ);
          _mm512_mask_storeu_ps(dx + at, mask, _mm512_maskz_mov_ps(here, gradient));
          open = static_cast<__mmask16>(open & ~here);
        }
    }
}

}  // namespace

const PoolWindows kPoolAvx512{forward, backward};

}  // namespace espalier::kernels::loops
#endif
