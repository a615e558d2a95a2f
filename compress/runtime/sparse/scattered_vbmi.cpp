// Single weights by AVX-512 VBMI and VNNI: one vpermi2b and one vpdpbusd for 64 slots.
#include "compress/runtime/sparse/avx512.hpp"
#include "compress/runtime/sparse/scattered.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

// P windows at once, and of few windows several chains of sums, so that a sum need not wait for the
// one before it.
template <int P>
ESPALIER_VBMI inline void multiply(const ScatteredGroup& group, const Tiles& t,
                                   std::int64_t first) {
  constexpr int kChains = P >= 4 ? 1 : 4 / P;
  const std::uint8_t* windows[P];
  for (int p = 0; p < P; ++p) windows[p] = t.x + t.starts[static_cast<std::size_t>(first + p)];
  __m512i sums[kChains][P];
  for (int k = 0; k < kChains; ++k)
    for (int p = 0; p < P; ++p)
      sums[k][p] =
          k ? _mm512_setzero_si512() : _mm512_loadu_si512(t.finish.bias.data() + t.channel);
  const std::uint8_t* slots = group.slots;
  for (const Stretch& stretch : group.stretches) {
    __m512i low[P], high[P];
    for (int p = 0; p < P; ++p) {
      low[p] = _mm512_loadu_si512(windows[p] + stretch.offset);
      high[p] = _mm512_loadu_si512(windows[p] + stretch.offset + 64);
    }
    std::int32_t left = stretch.vectors;
    if constexpr (kChains > 1)
      for (; left >= kChains; left -= kChains)
        for (int k = 0; k < kChains; ++k, slots += 2 * Scattered::kSlots) {
          const __m512i where = _mm512_load_si512(slots),
                        weights = _mm512_load_si512(slots + Scattered::kSlots);
          for (int p = 0; p < P; ++p)
            sums[k][p] = _mm512_dpbusd_epi32(
                sums[k][p], _mm512_permutex2var_epi8(low[p], where, high[p]), weights);
        }
    for (; left > 0; --left, slots += 2 * Scattered::kSlots) {
      const __m512i where = _mm512_load_si512(slots),
                    weights = _mm512_load_si512(slots + Scattered::kSlots);
      for (int p = 0; p < P; ++p)
        sums[0][p] = _mm512_dpbusd_epi32(sums[0][p],
                                         _mm512_permutex2var_epi8(low[p], where, high[p]), weights);
    }
  }
  for (int k = 1; k < kChains; ++k)
    for (int p = 0; p < P; ++p) sums[0][p] = _mm512_add_epi32(sums[0][p], sums[k][p]);
  finish_512(sums[0], t, first);
}

}  // namespace

ESPALIER_VBMI void multiply_scattered_vbmi(const ScatteredGroup& group, const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  for (; count - p >= 8; p += 8) multiply<8>(group, t, p);
  if (count - p >= 4) multiply<4>(group, t, p), p += 4;
  if (count - p >= 2) multiply<2>(group, t, p), p += 2;
  if (count - p >= 1) multiply<1>(group, t, p);
}

}  // namespace espalier::runtime::sparse
#endif
