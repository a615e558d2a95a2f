// Planes by AVX2: 32 positions of four planes are interleaved, and multiplied by four weights.
#include "compress/runtime/sparse/planes.hpp"

#if defined(__x86_64__)
#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

// A Range in registers: read again after every byte that is stored otherwise.
struct Range256 {
  __attribute__((target("avx2"))) explicit Range256(const Range& r)
      : low(_mm256_set1_ps(r.low)),
        high(_mm256_set1_ps(r.high)),
        zero_point(_mm256_set1_epi32(r.zero_point)) {}
  // clamp(rint(x) + zero_point, lowest, 127)
  __attribute__((target("avx2"))) __m256i nearest_level(__m256 x) const {
    const __m256 inside = _mm256_min_ps(_mm256_max_ps(x, low), high);
    return _mm256_add_epi32(_mm256_cvtps_epi32(inside), zero_point);
  }
  __m256 low, high;
  __m256i zero_point;
};

// Finishes sums of one channel: finished_256 of avx2.hpp with a channel in all lanes.
template <bool kNorm>
struct Channel256 {
  __attribute__((target("avx2"))) Channel256(const Finish& f, std::size_t channel)
      : bias(_mm256_set1_epi32(f.bias[channel])),
        multiplier(_mm256_set1_ps(f.multiplier[channel])),
        norm_multiplier(_mm256_set1_ps(kNorm ? f.norm_multiplier[channel] : 0)),
        norm_offset(_mm256_set1_ps(kNorm ? f.norm_offset[channel] : 0)),
        range(f.range),
        norm_range(f.norm_range) {}

  __attribute__((target("avx2"))) __m256i levels(__m256i sums) const {
    const __m256i biased = _mm256_add_epi32(sums, bias);
    const __m256i level =
        range.nearest_level(_mm256_mul_ps(_mm256_cvtepi32_ps(biased), multiplier));
    if constexpr (!kNorm) return level;
    const __m256 from = _mm256_cvtepi32_ps(_mm256_sub_epi32(level, range.zero_point));
    return norm_range.nearest_level(
        _mm256_add_ps(_mm256_mul_ps(from, norm_multiplier), norm_offset));
  }

  __m256i bias;
  __m256 multiplier, norm_multiplier, norm_offset;
  Range256 range, norm_range;
};

__attribute__((target("avx2"))) inline __m256i sums_at(const std::int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// Eight outputs of windows of 2 x 2 side by side.
__attribute__((target("avx2"))) inline __m256i largest_of_fours(const std::int32_t* from,
                                                                std::int64_t row) {
  const __m256i a = _mm256_max_epi32(sums_at(from), sums_at(from + row)),
                b = _mm256_max_epi32(sums_at(from + 8), sums_at(from + row + 8));
  const __m256 even = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88),
               odd = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xDD);
  return _mm256_permute4x64_epi64(
      _mm256_max_epi32(_mm256_castps_si256(even), _mm256_castps_si256(odd)), 0xD8);
}

// The maxima of eight windows side by side.
enum class Pool { kNone, kFours, kAny };
template <Pool kPool>
__attribute__((target("avx2"))) inline __m256i largest_of_windows(const std::int32_t* sums,
                                                                  const PlanePool& pool,
                                                                  std::int64_t row,
                                                                  std::int64_t column) {
  const std::int32_t* from = sums + row * pool.stride_h * pool.row + column * pool.stride_w;
  if constexpr (kPool == Pool::kNone) return sums_at(from);
  if constexpr (kPool == Pool::kFours) return largest_of_fours(from, pool.row);
  std::int32_t each[8] = {};
  for (std::int64_t i = 0; i < std::min<std::int64_t>(8, pool.out_w - column); ++i)
    each[i] = largest_of_window(sums, pool, row, column + i);
  return sums_at(each);
}

// Eight outputs at a time; those behind a row's end are overwritten by the next row.
template <Pool kPool, bool kNorm>
__attribute__((target("avx2"))) void finish_rows(const std::int32_t* sums, const PlanePool& pool,
                                                 const Finish& f, std::size_t channel,
                                                 std::uint8_t* levels) {
  const Channel256<kNorm> finish(f, channel);
  const PlanePool p = pool;
  for (std::int64_t row = 0; row < p.out_h; ++row, levels += p.out_w)
    for (std::int64_t column = 0; column < p.out_w; column += 8) {
      const __m256i level = finish.levels(largest_of_windows<kPool>(sums, p, row, column));
      const __m128i words =
          _mm_packs_epi32(_mm256_castsi256_si128(level), _mm256_extracti128_si256(level, 1));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(levels + column), _mm_packus_epi16(words, words));
    }
}

template <Pool kPool>
void finish_rows(const std::int32_t* sums, const PlanePool& pool, const Finish& f,
                 std::size_t channel, std::uint8_t* levels) {
  (f.norm ? finish_rows<kPool, true> : finish_rows<kPool, false>)(sums, pool, f, channel, levels);
}

}  // namespace

void finish_plane_avx2(const std::int32_t* sums, const PlanePool& pool, const Finish& f,
                       std::size_t channel, std::uint8_t* levels) {
  const bool single = pool.height == 1 && pool.width == 1 && pool.stride_w == 1,
             fours = pool.height == 2 && pool.width == 2 && pool.stride_w == 2;
  if (single) return finish_rows<Pool::kNone>(sums, pool, f, channel, levels);
  if (fours) return finish_rows<Pool::kFours>(sums, pool, f, channel, levels);
  finish_rows<Pool::kAny>(sums, pool, f, channel, levels);
}

__attribute__((target("avx2"))) void multiply_planes_avx2(const std::uint8_t* planes,
                                                          const PlaneTaps& taps,
                                                          std::int64_t positions,
                                                          std::int32_t* sums) {
  const std::int32_t* offsets = taps.offsets.data();
  const std::int8_t* weights = taps.weights.data();
  const std::int64_t count = std::ssize(taps.offsets);
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::int64_t p = 0; p < positions; p += kPositions) {
    const std::uint8_t* from = planes + p;
    __m256i sum[4] = {};
    std::int64_t t = 0;
    for (; t < taps.small; t += 8) {
      const __m256i w = four_bytes(weights + t), v = four_bytes(weights + t + 4);
      const FourLines x = interleaved(from, offsets + t), y = interleaved(from, offsets + t + 4);
      for (int i = 0; i < 4; ++i) {
        const __m256i pairs =
            _mm256_add_epi16(_mm256_maddubs_epi16(x.of[i], w), _mm256_maddubs_epi16(y.of[i], v));
        sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs, ones));
      }
    }
    for (; t < count; t += 4) {
      const __m256i w = four_bytes(weights + t);
      const FourLines x = interleaved(from, offsets + t);
      for (int i = 0; i < 4; ++i) sum[i] = sum_of_products(sum[i], x.of[i], w);
    }
    // Unpacking went by 128 bits: sum i has positions 4 i to 4 i + 3, and those 16 further on.
    __m256i* to = reinterpret_cast<__m256i*>(sums + p);
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(sum[0], sum[1], 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(sum[2], sum[3], 0x20));
    _mm256_storeu_si256(to + 2, _mm256_permute2x128_si256(sum[0], sum[1], 0x31));
    _mm256_storeu_si256(to + 3, _mm256_permute2x128_si256(sum[2], sum[3], 0x31));
  }
}

}  // namespace espalier::runtime::sparse
#endif
