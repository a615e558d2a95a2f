// Active inputs by AVX2: a line of the cache in two halves, else as active_vnni.cpp.
#include "compress/runtime/sparse/active.hpp"

#if defined(__x86_64__)
#include <array>
#include <bit>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

// For each set of bytes out of eight: where these are, in order.
constexpr auto kPlaces = [] {
  std::array<std::array<std::uint8_t, 8>, 256> places{};
  for (std::size_t set = 0; set < 256; ++set) {
    std::size_t n = 0;
    for (std::uint8_t i = 0; i < 8; ++i)
      if (set >> i & 1) places[set][n++] = i;
  }
  return places;
}();

constexpr int kGroups = ActiveWeights::kOutputs / kLanes;

// of[g]: 8 outputs of group g, those of one half of the lines.
struct HalfSums {
  __m256i of[kGroups];
};

__attribute__((target("avx2"))) inline HalfSums products(const std::int8_t* half,
                                                         const ActiveInputs& active) {
  const std::uint8_t* levels = active.levels.data();
  const std::int32_t* offsets = active.offsets.data();
  __m256i sum0 = _mm256_setzero_si256(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (std::int64_t i = 0; i < active.count; i += ActiveInputs::kAtOnce) {
    std::int32_t four;
    std::memcpy(&four, levels + i, sizeof(four));
    const __m256i x = _mm256_set1_epi32(four);
    const __m256i a = bytes_at(half + offsets[i]), b = bytes_at(half + offsets[i + 1]),
                  c = bytes_at(half + offsets[i + 2]), d = bytes_at(half + offsets[i + 3]);
    const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b),
                  cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
    sum0 = sum_of_products(sum0, x, _mm256_unpacklo_epi16(ab_low, cd_low));
    sum1 = sum_of_products(sum1, x, _mm256_unpackhi_epi16(ab_low, cd_low));
    sum2 = sum_of_products(sum2, x, _mm256_unpacklo_epi16(ab_high, cd_high));
    sum3 = sum_of_products(sum3, x, _mm256_unpackhi_epi16(ab_high, cd_high));
  }
  return {{sum0, sum1, sum2, sum3}};
}

}  // namespace

__attribute__((target("avx2"))) void find_active_avx2(const std::uint8_t* x, std::int64_t pixels,
                                                      std::int64_t channels, ActiveInputs& found,
                                                      std::int32_t* begins) {
  constexpr std::int64_t kWidth = 8;
  std::uint8_t* levels = found.levels.data();
  std::int32_t* offsets = found.offsets.data();
  const __m256i lines = _mm256_slli_epi32(_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0),
                                          std::countr_zero(std::size_t{ActiveWeights::kOutputs}));
  std::int64_t n = 0;
  for (std::int64_t p = 0; p < pixels; ++p) {
    begins[p] = static_cast<std::int32_t>(n);
    for (std::int64_t c = 0; c < channels; c += kWidth) {
      const std::int64_t i = p * channels + c;
      std::uint64_t word;
      std::memcpy(&word, x + i, sizeof(word));
      if (channels - c < kWidth) word &= ~std::uint64_t{0} >> (8 * (kWidth - (channels - c)));
      const __m128i bytes = _mm_cvtsi64_si128(static_cast<std::int64_t>(word));
      const auto zeros =
          static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
      const auto set = ~zeros & 0xFF;
      const __m128i places = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kPlaces[set].data()));
      const __m256i at = _mm256_add_epi32(
          lines, _mm256_set1_epi32(static_cast<std::int32_t>(i * ActiveWeights::kOutputs)));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(levels + n), _mm_shuffle_epi8(bytes, places));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(offsets + n),
                          _mm256_permutevar8x32_epi32(at, _mm256_cvtepu8_epi32(places)));
      n += std::popcount(set);
    }
  }
  begins[pixels] = static_cast<std::int32_t>(n);
  found.count = n;
}

__attribute__((target("avx2"))) void multiply_active_avx2(const std::int8_t* tile,
                                                          std::span<const ActiveInputs> windows,
                                                          const Tiles& t, std::int64_t output) {
  __m256i largest[kGroups][2];
  for (int half = 0; half < 2; ++half)
    for (const ActiveInputs& window : windows) {
      const HalfSums sums = products(tile + half * ActiveWeights::kOutputs / 2, window);
      for (int g = 0; g < kGroups; ++g)
        largest[g][half] = &window == &windows.front()
                               ? sums.of[g]
                               : _mm256_max_epi32(largest[g][half], sums.of[g]);
    }
  for (std::int64_t g = 0; g < groups_of_tile(t); ++g)
    store_256(largest[g], group_of_tile(t, g), output);
}

}  // namespace espalier::runtime::sparse
#endif
