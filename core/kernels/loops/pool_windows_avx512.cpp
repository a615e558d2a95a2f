#include "core/kernels/loops/maximum_avx512.hpp"

#if defined(__x86_64__)
namespace espalier::kernels::loops {
namespace {

constexpr std::int64_t kLanes = 16;

// Side: of the windows, where they are squares of a size that is known here; else 0.
template <int Side>
ESPALIER_AVX512 void pool(const float* x, float* y, std::uint8_t* where, const Tiling& t) {
  const std::int64_t high = Side ? Side : t.high, wide = Side ? Side : t.wide;
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const __mmask16 mask = first_lanes(t.channels - c);
      const float* first = x + q * wide * t.channels + c;
      Maximum512 best(_mm512_maskz_loadu_ps(mask, first));
#pragma GCC unroll 2
      for (std::int64_t i = 0; i < high; ++i)
#pragma GCC unroll 2
        for (std::int64_t j = 0; j < wide; ++j)
          best.meet(_mm512_maskz_loadu_ps(mask, first + i * t.row + j * t.channels),
                    static_cast<int>(i * wide + j));
      if (t.relu) best.relu();
      const std::int64_t at = q * t.channels + c;
      best.store(mask, y + at, where + at);
    }
}

template <int Side>
ESPALIER_AVX512 void spread(const float* dy, const std::uint8_t* where, float* dx,
                            const Tiling& t) {
  const std::int64_t high = Side ? Side : t.high, wide = Side ? Side : t.wide;
  for (std::int64_t q = 0; q < t.windows; ++q)
    for (std::int64_t c = 0; c < t.channels; c += kLanes) {
      const __mmask16 mask = first_lanes(t.channels - c);
      const std::int64_t at = q * t.channels + c;
      const __m512 gradient = _mm512_maskz_loadu_ps(mask, dy + at);
      const __m512i which = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, where + at));
      float* first = dx + q * wide * t.channels + c;
#pragma GCC unroll 2
      for (std::int64_t i = 0; i < high; ++i)
#pragma GCC unroll 2
        for (std::int64_t j = 0; j < wide; ++j) {
          const __mmask16 here =
              _mm512_cmpeq_epi32_mask(which, _mm512_set1_epi32(static_cast<int>(i * wide + j)));
          _mm512_mask_storeu_ps(first + i * t.row + j * t.channels, mask,
                                _mm512_maskz_mov_ps(here, gradient));
        }
    }
}

bool two_by_two(const Tiling& t) {
  return t.high == 2 && t.wide == 2;
}

}  // namespace

void pool_windows(const float* x, float* y, std::uint8_t* where, const Tiling& t) {
  two_by_two(t) ? pool<2>(x, y, where, t) : pool<0>(x, y, where, t);
}

void spread_windows(const float* dy, const std::uint8_t* where, float* dx, const Tiling& t) {
  two_by_two(t) ? spread<2>(dy, where, dx, t) : spread<0>(dy, where, dx, t);
}

}  // namespace espalier::kernels::loops
#else
#include "core/base/error.hpp"

namespace espalier::kernels::loops {

// pools() says no here.
void pool_windows(const float*, float*, std::uint8_t*, const Tiling&) {
  fail(ErrorKind::kInternal, "max_pool2d", "has no loops for this processor");
}
void spread_windows(const float*, const std::uint8_t*, float*, const Tiling&) {
  fail(ErrorKind::kInternal, "max_pool2d", "has no loops for this processor");
}

}  // namespace espalier::kernels::loops
#endif
