// Bias, maximum, requantization and batch norm of 16 channels in AVX-512 registers: finish_plain's
// twin, for the kernels of this folder alone. Every operation is the one of core/kernels/integer.hpp
// in its order: the rounding of cvtps is half to even, and max_ps yields its second operand for NaN.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "compress/runtime/sparse/finish.hpp"

#define ESPALIER_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define ESPALIER_VBMI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))

namespace espalier::runtime::sparse {

// clamp(rint(x) + zero_point, lowest, 127)
ESPALIER_VNNI inline __m512i nearest_level_512(__m512 x, std::int32_t zero_point,
                                               std::int32_t lowest) {
  const __m512 low = _mm512_set1_ps(static_cast<float>(lowest - zero_point)),
               high = _mm512_set1_ps(static_cast<float>(127 - zero_point));
  const __m512 inside = _mm512_min_ps(_mm512_max_ps(x, low), high);
  return _mm512_add_epi32(_mm512_cvtps_epi32(inside), _mm512_set1_epi32(zero_point));
}

// Sums with their bias, maximum taken, to output number `output`.
ESPALIER_VNNI inline void store_512(__m512i sums, const Tiles& t, std::int64_t output) {
  const Finish& f = t.finish;
  const std::int64_t lanes = std::min<std::int64_t>(kLanes, f.channels - t.channel),
                     at = output * f.channels + t.channel;
  const auto mask = static_cast<__mmask16>((1u << lanes) - 1);
  const __m512 real =
      _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(f.multiplier.data() + t.channel));
  if (!f.levels) {
    const __m512 value = f.relu ? _mm512_max_ps(_mm512_setzero_ps(), real) : real;
    _mm512_mask_storeu_ps(static_cast<float*>(t.y) + at, mask, value);
    return;
  }
  __m512i level = nearest_level_512(real, f.zero_point, f.lowest);
  if (f.norm) {
    const __m512 from =
        _mm512_cvtepi32_ps(_mm512_sub_epi32(level, _mm512_set1_epi32(f.zero_point)));
    const __m512 product =
        _mm512_mul_ps(from, _mm512_loadu_ps(f.norm_multiplier.data() + t.channel));
    level =
        nearest_level_512(_mm512_add_ps(product, _mm512_loadu_ps(f.norm_offset.data() + t.channel)),
                          f.norm_zero_point, f.norm_lowest);
  }
  _mm512_mask_cvtepi32_storeu_epi8(static_cast<std::uint8_t*>(t.y) + at, mask, level);
}

// The P windows from `first` on, a multiple of t.pool, to P / t.pool outputs.
template <int P>
ESPALIER_VNNI inline void finish_512(__m512i (&sums)[P], const Tiles& t, std::int64_t first) {
  if constexpr (P >= 2)
    if (t.pool >= 2)
      for (int i = 0; i < P / 2; ++i) sums[i] = _mm512_max_epi32(sums[2 * i], sums[2 * i + 1]);
  if constexpr (P >= 4)
    if (t.pool >= 4)
      for (int i = 0; i < P / 4; ++i) sums[i] = _mm512_max_epi32(sums[2 * i], sums[2 * i + 1]);
  if constexpr (P >= 8)
    if (t.pool >= 8) sums[0] = _mm512_max_epi32(sums[0], sums[1]);
  const std::int64_t output = first / t.pool;
  for (int i = 0; i < P; ++i)
    if (i < P / t.pool) store_512(sums[i], t, output + i);
}

}  // namespace espalier::runtime::sparse
#endif
