// Active inputs by AVX-512 VNNI: eight unpack instructions interleave 64 outputs' weights of four inputs,
// four vpdpbusd multiply them.
#include "compress/runtime/sparse/active.hpp"
#include "compress/runtime/sparse/avx512.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

template <int Groups>
struct TileSums {
  __m512i of[Groups];
};

// Of the tile's first `Groups` groups.
template <int Groups>
ESPALIER_VNNI inline TileSums<Groups> products(const std::int8_t* tile,
                                               const ActiveInputs& active) {
  const std::uint8_t* levels = active.levels.data();
  const std::int32_t* offsets = active.offsets.data();
  __m512i sum0 = _mm512_setzero_si512(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (std::int64_t i = 0; i < active.count; i += ActiveInputs::kAtOnce) {
    std::int32_t four;
    std::memcpy(&four, levels + i, sizeof(four));
    const __m512i x = _mm512_set1_epi32(four);
    const __m512i a = _mm512_load_si512(tile + offsets[i]),
                  b = _mm512_load_si512(tile + offsets[i + 1]),
                  c = _mm512_load_si512(tile + offsets[i + 2]),
                  d = _mm512_load_si512(tile + offsets[i + 3]);
    const __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
    sum0 = _mm512_dpbusd_epi32(sum0, x, _mm512_unpacklo_epi16(ab, cd));
    if constexpr (Groups > 1) sum1 = _mm512_dpbusd_epi32(sum1, x, _mm512_unpackhi_epi16(ab, cd));
    if constexpr (Groups > 2) {
      const __m512i ab_high = _mm512_unpackhi_epi8(a, b), cd_high = _mm512_unpackhi_epi8(c, d);
      sum2 = _mm512_dpbusd_epi32(sum2, x, _mm512_unpacklo_epi16(ab_high, cd_high));
      if constexpr (Groups > 3)
        sum3 = _mm512_dpbusd_epi32(sum3, x, _mm512_unpackhi_epi16(ab_high, cd_high));
    }
  }
  const __m512i all[] = {sum0, sum1, sum2, sum3};
  TileSums<Groups> sums;
  for (int g = 0; g < Groups; ++g) sums.of[g] = all[g];
  return sums;
}

template <int Groups>
ESPALIER_VNNI void multiply_groups(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                                   const Tiles& t, std::int64_t output) {
  TileSums<Groups> largest = products<Groups>(tile, windows.front());
  for (const ActiveInputs& window : windows.subspan(1)) {
    const TileSums<Groups> sums = products<Groups>(tile, window);
    for (int g = 0; g < Groups; ++g) largest.of[g] = _mm512_max_epi32(largest.of[g], sums.of[g]);
  }
  for (int g = 0; g < Groups; ++g) {
    const Tiles group = group_of_tile(t, g);
    const __m512i bias = _mm512_loadu_si512(t.finish.bias.data() + group.channel);
    Finish512(group).store(_mm512_add_epi32(largest.of[g], bias), output);
  }
}

}  // namespace

ESPALIER_VNNI void find_active_vnni(const std::uint8_t* x, std::int64_t pixels,
                                    std::int64_t channels, ActiveInputs& found,
                                    std::int32_t* begins) {
  std::uint8_t* levels = found.levels.data();
  std::int32_t* offsets = found.offsets.data();
  const __m512i lines =
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(ActiveWeights::kOutputs));
  std::int64_t n = 0;
  for (std::int64_t p = 0; p < pixels; ++p) {
    begins[p] = static_cast<std::int32_t>(n);
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const std::int64_t i = p * channels + c;
      const auto lanes =
          _cvtu32_mask16(channels - c < kLanes ? (1u << (channels - c)) - 1 : 0xFFFFu);
      const __m512i wide = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, x + i));
      const __mmask16 some = _mm512_test_epi32_mask(wide, wide);
      const __m512i at = _mm512_add_epi32(
          lines, _mm512_set1_epi32(static_cast<std::int32_t>(i * ActiveWeights::kOutputs)));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(levels + n),
                       _mm512_cvtepi32_epi8(_mm512_maskz_compress_epi32(some, wide)));
      _mm512_storeu_si512(offsets + n, _mm512_maskz_compress_epi32(some, at));
      n += __builtin_popcount(_cvtmask16_u32(some));
    }
  }
  begins[pixels] = static_cast<std::int32_t>(n);
  found.count = n;
}

ESPALIER_VNNI void multiply_active_vnni(const std::int8_t* tile,
                                        std::span<const ActiveInputs> windows, const Tiles& t,
                                        std::int64_t output) {
  switch (groups_of_tile(t)) {
    case 1:
      return multiply_groups<1>(tile, windows, t, output);
    case 2:
      return multiply_groups<2>(tile, windows, t, output);
    case 3:
      return multiply_groups<3>(tile, windows, t, output);
    default:
      return multiply_groups<4>(tile, windows, t, output);
  }
}

}  // namespace espalier::runtime::sparse
#endif
