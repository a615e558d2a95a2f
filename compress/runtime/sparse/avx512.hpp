// Bias, maximum, requantization and batch norm of 16 channels in AVX-512 registers: finish_plain's
// twin, for the kernels of this folder alone. Every operation is the one of core/kernels/integer.hpp
// in its order: the rounding of cvtps is half to even, and max_ps yields its second operand for NaN.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "compress/runtime/sparse/finish.hpp"

namespace espalier::runtime::sparse {

// clamp(rint(x) + zero_point, lowest, 127)
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]] inline __m512i nearest_level_512(
    __m512 x, const Range& r) {
  const __m512 inside =
      _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(r.low)), _mm512_set1_ps(r.high));
  return _mm512_add_epi32(_mm512_cvtps_epi32(inside), _mm512_set1_epi32(r.zero_point));
}

// Sums with their bias, maximum taken, to output number `output`.
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]] inline void store_512(__m512i sums,
                                                                              const Tiles& t,
                                                                              std::int64_t output) {
  const Finish& f = t.finish;
  const std::int64_t lanes = f.channels - t.channel, at = output * f.channels + t.channel;
  const __mmask16 mask = _cvtu32_mask16(lanes >= kLanes ? 0xFFFF : (1u << lanes) - 1);
  const __m512 real =
      _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(f.multiplier.data() + t.channel));
  if (!f.levels) {
    const __m512 value = f.relu ? _mm512_max_ps(_mm512_setzero_ps(), real) : real;
    _mm512_mask_storeu_ps(static_cast<float*>(t.y) + at, mask, value);
    return;
  }
  __m512i level = nearest_level_512(real, f.range);
  if (f.norm) {
    const __m512 from =
        _mm512_cvtepi32_ps(_mm512_sub_epi32(level, _mm512_set1_epi32(f.range.zero_point)));
    const __m512 product =
        _mm512_mul_ps(from, _mm512_loadu_ps(f.norm_multiplier.data() + t.channel));
    level = nearest_level_512(
        _mm512_add_ps(product, _mm512_loadu_ps(f.norm_offset.data() + t.channel)), f.norm_range);
  }
  const __m128i bytes = _mm512_cvtepi32_epi8(level);
  std::uint8_t* to = static_cast<std::uint8_t*>(t.y) + at;
  if (lanes >= kLanes)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  else
    _mm_mask_storeu_epi8(to, mask, bytes);
}

// The P windows from `first` on to P / Pool outputs. sums: [Chains P].
template <int P, int Pool, int Chains>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]] inline void finish_512(const __m512i* sums,
                                                                               const Tiles& t,
                                                                               std::int64_t first) {
  for (int i = 0; i < P; i += Pool) {
    __m512i largest = _mm512_setzero_si512();
    for (int p = i; p < i + Pool; ++p) {
      __m512i sum = sums[p];
      for (int k = 1; k < Chains; ++k) sum = _mm512_add_epi32(sum, sums[k * P + p]);
      largest = p == i ? sum : _mm512_max_epi32(largest, sum);
    }
    store_512(largest, t, (first + i) / Pool);
  }
}

// Sums for P windows at once: at least four chains.
template <int P>
using SumsFor = std::make_index_sequence<(P < 4 ? 4 : P)>;

// Kernel::multiply<P, Pool>(group, tiles, first, SumsFor<P>()) over all windows, P at a time.
template <class Kernel, int Pool, class Group>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]] inline void multiply_pooled(
    const Group& group, const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  for (; count - p >= 8; p += 8) Kernel::template multiply<8, Pool>(group, t, p, SumsFor<8>());
  if constexpr (Pool <= 4)
    if (count - p >= 4) Kernel::template multiply<4, Pool>(group, t, p, SumsFor<4>()), p += 4;
  if constexpr (Pool <= 2)
    if (count - p >= 2) Kernel::template multiply<2, Pool>(group, t, p, SumsFor<2>()), p += 2;
  if constexpr (Pool == 1)
    if (count - p >= 1) Kernel::template multiply<1, Pool>(group, t, p, SumsFor<1>());
}

template <class Kernel, class Group>
[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]] inline void multiply_all(const Group& group,
                                                                                 const Tiles& t) {
  switch (t.pool) {
    case 1:
      return multiply_pooled<Kernel, 1>(group, t);
    case 2:
      return multiply_pooled<Kernel, 2>(group, t);
    case 4:
      return multiply_pooled<Kernel, 4>(group, t);
    case 8:
      return multiply_pooled<Kernel, 8>(group, t);
  }
}

}  // namespace espalier::runtime::sparse
#endif
