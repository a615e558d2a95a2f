#include "core/kernels/loops/pool_windows.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#define ESPALIER_AVX2 __attribute__((target("avx2")))

namespace espalier::kernels::loops {
namespace {

constexpr std::int64_t kLanes = 8;

ESPALIER_AVX2 inline __m256i lanes(std::int64_t left) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Of the window whose first numbers are x's. max_ps keeps its second operand where one is NaN.
ESPALIER_AVX2 inline __m256 largest(const float* x, __m256i mask, const Tiling& t) {
  __m256 best = _mm256_maskload_ps(x, mask);
  for (std::int64_t i = 0; i < t.high; ++i)
    for (std::int64_t j = 0; j < t.wide; ++j)
      best = _mm256_max_ps(_mm256_maskload_ps(x + i * t.row + j * t.channels, mask), best);
  return best;
}

ESPALIER_AVX2 void forward(const float* x, float* y, const Tiling& t) {
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const __m256i mask = lanes(t.channels - c);
      _mm256_maskstore_ps(y + q * t.channels + c, mask,
                          largest(x + q * t.wide * t.channels + c, mask, t));
    }
}

ESPALIER_AVX2 void backward(const float* x, const float* dy, float* dx, const Tiling& t) {
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const std::int64_t corner = q * t.wide * t.channels + c;
      const __m256i mask = lanes(t.channels - c);
      const __m256 best = largest(x + corner, mask, t);
      const __m256 gradient = _mm256_maskload_ps(dy + q * t.channels + c, mask);
      __m256 met = _mm256_setzero_ps();  // whose largest was met already
      for (std::int64_t i = 0; i < t.high; ++i)
        for (std::int64_t j = 0; j < t.wide; ++j) {
          const std::int64_t at = corner + i * t.row + j * t.channels;
          const __m256 equal = _mm256_cmp_ps(_mm256_maskload_ps(x + at, mask), best, _CMP_EQ_UQ);
          const __m256 here = _mm256_andnot_ps(met, equal);
          _mm256_maskstore_ps(dx + at, mask, _mm256_and_ps(here, gradient));
          met = _mm256_or_ps(met, here);
        }
    }
}

}  // namespace

const PoolWindows kPoolAvx2{forward, backward};

}  // namespace espalier::kernels::loops
#endif
