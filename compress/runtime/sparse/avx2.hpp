// finish_plain's twin in AVX2 registers, two of them for the 16 channels of a group; see avx512.hpp.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "compress/runtime/sparse/finish.hpp"

namespace espalier::runtime::sparse {

__attribute__((target("avx2"))) inline __m256i bytes_at(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

// Levels times weights, four neighbours to each of 8 sums. vpmaddubsw is exact, as two products of
// levels and weights stay below 2^15 (127 * 127 * 2); vpmaddwd by ones adds the pairs into 32 bits.
__attribute__((target("avx2"))) inline __m256i sum_of_products(__m256i sum, __m256i levels,
                                                               __m256i weights) {
  const __m256i pairs = _mm256_maddubs_epi16(levels, weights);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// Four bytes in each of 8 lanes.
template <class Byte>
__attribute__((target("avx2"))) inline __m256i four_bytes(const Byte* bytes) {
  std::int32_t four;
  std::memcpy(&four, bytes, sizeof(four));
  return _mm256_set1_epi32(four);
}

// Bytes of four lines side by side in each of 8 lanes. Unpacking goes by 128 bits: of[i] has bytes 4 i to 4 i + 3 of
// the lines, then those 16 further on.
template <int Count = 4>
struct Lines {
  __m256i of[Count];
};
using FourLines = Lines<>;

// The first `Count` of 32 bytes of each line, `line` + offsets[0] to [3].
template <int Count = 4, class Byte>
__attribute__((target("avx2"))) inline Lines<Count> interleaved(const Byte* line,
                                                                const std::int32_t* offsets) {
  const __m256i a = bytes_at(line + offsets[0]), b = bytes_at(line + offsets[1]),
                c = bytes_at(line + offsets[2]), d = bytes_at(line + offsets[3]);
  const __m256i ab = _mm256_unpacklo_epi8(a, b), cd = _mm256_unpacklo_epi8(c, d);
  Lines<Count> lines;
  lines.of[0] = _mm256_unpacklo_epi16(ab, cd);
  if constexpr (Count > 1) lines.of[1] = _mm256_unpackhi_epi16(ab, cd);
  if constexpr (Count > 2) {
    const __m256i ab_high = _mm256_unpackhi_epi8(a, b), cd_high = _mm256_unpackhi_epi8(c, d);
    lines.of[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
    if constexpr (Count > 3) lines.of[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
  }
  return lines;
}

// clamp(rint(x) + zero_point, lowest, 127)
__attribute__((target("avx2"))) inline __m256i nearest_level_256(__m256 x, const Range& r) {
  const __m256 inside =
      _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(r.low)), _mm256_set1_ps(r.high));
  return _mm256_add_epi32(_mm256_cvtps_epi32(inside), _mm256_set1_epi32(r.zero_point));
}

// Eight channels' sums without their bias, from t.channel + 8 * half on: levels or float bits.
__attribute__((target("avx2"))) inline __m256i finished_256(__m256i sums, const Tiles& t,
                                                            int half) {
  const Finish& f = t.finish;
  const std::int64_t c = t.channel + 8 * half;
  const __m256i biased = _mm256_add_epi32(
      sums, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(f.bias.data() + c)));
  const __m256 real =
      _mm256_mul_ps(_mm256_cvtepi32_ps(biased), _mm256_loadu_ps(f.multiplier.data() + c));
  if (!f.levels)
    return _mm256_castps_si256(f.relu ? _mm256_max_ps(_mm256_setzero_ps(), real) : real);
  const __m256i level = nearest_level_256(real, f.range);
  if (!f.norm) return level;
  const __m256 from =
      _mm256_cvtepi32_ps(_mm256_sub_epi32(level, _mm256_set1_epi32(f.range.zero_point)));
  const __m256 product = _mm256_mul_ps(from, _mm256_loadu_ps(f.norm_multiplier.data() + c));
  return nearest_level_256(_mm256_add_ps(product, _mm256_loadu_ps(f.norm_offset.data() + c)),
                           f.norm_range);
}

__attribute__((target("avx2"))) inline void store_256(const __m256i (&sums)[2], const Tiles& t,
                                                      std::int64_t output) {
  const Finish& f = t.finish;
  const auto lanes =
      static_cast<std::size_t>(std::min<std::int64_t>(kLanes, f.channels - t.channel));
  const std::int64_t at = t.place(output);
  const __m256i low = finished_256(sums[0], t, 0), high = finished_256(sums[1], t, 1);
  if (!f.levels) {
    alignas(32) float values[kLanes];
    _mm256_store_si256(reinterpret_cast<__m256i*>(values), low);
    _mm256_store_si256(reinterpret_cast<__m256i*>(values) + 1, high);
    std::memcpy(static_cast<float*>(t.y) + at, values, lanes * sizeof(float));
    return;
  }
  // Packing interleaves the registers' halves; the permutation puts them in order.
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
  const __m128i bytes =
      _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  std::uint8_t* to = static_cast<std::uint8_t*>(t.y) + at;
  if (lanes == kLanes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return;
  }
  alignas(16) std::uint8_t levels[kLanes];
  _mm_store_si128(reinterpret_cast<__m128i*>(levels), bytes);
  std::memcpy(to, levels, lanes);
}

// The P windows from `first` on to P / Pool outputs. sums: [P 2].
template <std::size_t P, int Pool>
__attribute__((target("avx2"))) inline void finish_256(const __m256i* sums, const Tiles& t,
                                                       std::int64_t first) {
  for (int i = 0; i < static_cast<int>(P); i += Pool) {
    __m256i largest[2] = {sums[2 * i], sums[2 * i + 1]};
    for (int p = i + 1; p < i + Pool; ++p)
      for (int half = 0; half < 2; ++half)
        largest[half] = _mm256_max_epi32(largest[half], sums[2 * p + half]);
    store_256(largest, t, (first + i) / Pool);
  }
}

}  // namespace espalier::runtime::sparse
#endif
