// The largest number of a pooling window and which pixel has it, 16 channels in AVX-512 registers.
#pragma once

#include "core/kernels/avx512.hpp"
#include "core/kernels/loops/pool_windows.hpp"

#if defined(__x86_64__)
namespace espalier::kernels::loops {

class Maximum512 {
 public:
  ESPALIER_AVX512 explicit Maximum512(__m512 first) : best_(first) {}

  // The next pixel, by its number: of equals the first one stays.
  ESPALIER_AVX512 void meet(__m512 value, int number) {
    const __mmask16 more = _mm512_cmp_ps_mask(value, best_, _CMP_GT_OQ);
    best_ = _mm512_mask_mov_ps(best_, more, value);
    which_ = _mm512_mask_mov_epi32(which_, more, _mm512_set1_epi32(number));
  }
  // Of max(x, 0) instead of x. A NaN stays one, and takes no gradient.
  ESPALIER_AVX512 void relu() {
    const __mmask16 above = _mm512_cmp_ps_mask(best_, _mm512_setzero_ps(), _CMP_GT_OQ);
    which_ = _mm512_mask_mov_epi32(_mm512_set1_epi32(kNowhere), above, which_);
    best_ = _mm512_max_ps(_mm512_setzero_ps(), best_);
  }
  ESPALIER_AVX512 void store(__mmask16 mask, float* y, std::uint8_t* where) const {
    _mm512_mask_storeu_ps(y, mask, best_);
    _mm_mask_storeu_epi8(where, mask, _mm512_cvtepi32_epi8(which_));
  }

 private:
  __m512 best_;
  __m512i which_ = _mm512_setzero_si512();
};

}  // namespace espalier::kernels::loops
#endif
