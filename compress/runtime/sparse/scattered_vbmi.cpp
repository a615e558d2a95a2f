// Single weights by AVX-512 VBMI and VNNI: one vpermi2b and one vpdpbusd for 64 slots.
#include "compress/runtime/sparse/avx512.hpp"
#include "compress/runtime/sparse/scattered.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

struct VbmiScattered {
  // As VnniBlocks::multiply: J counts sums, several chains of P.
  template <int P, int Pool, std::size_t... J>
  [[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]] static void multiply(
      const ScatteredGroup& group, const Tiles& t, std::int64_t first, std::index_sequence<J...>) {
    constexpr std::int32_t kChains = sizeof...(J) / P;
    constexpr std::size_t kVector = 2 * Scattered::kSlots;  // bytes
    const std::int64_t* starts = t.starts.data() + first;
    const __m512i bias = _mm512_loadu_si512(t.finish.bias.data() + t.channel);
    __m512i sums[] = {J < P ? bias : _mm512_setzero_si512()...};
    const std::uint8_t* slots = group.slots;
    for (const Stretch& stretch : group.stretches) {
      const std::uint8_t* x = t.x + stretch.offset;
      const __m512i low[] = {_mm512_loadu_si512(x + starts[J % P])...},
                    high[] = {_mm512_loadu_si512(x + starts[J % P] + 64)...};
      std::int32_t left = stretch.vectors;
      if constexpr (kChains > 1)
        for (; left >= kChains; left -= kChains, slots += kChains * kVector)
          ((sums[J] = _mm512_dpbusd_epi32(
                sums[J],
                _mm512_permutex2var_epi8(low[J % P], _mm512_load_si512(slots + J / P * kVector),
                                         high[J % P]),
                _mm512_load_si512(slots + J / P * kVector + Scattered::kSlots))),
           ...);
      for (; left > 0; --left, slots += kVector)
        ((sums[J] =
              J < P ? _mm512_dpbusd_epi32(sums[J],
                                          _mm512_permutex2var_epi8(
                                              low[J % P], _mm512_load_si512(slots), high[J % P]),
                                          _mm512_load_si512(slots + Scattered::kSlots))
                    : sums[J]),
         ...);
    }
    const __m512i chains[] = {sums[J]...};
    finish_512<P, Pool, kChains>(chains, t, first);
  }
};

}  // namespace

[[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]] void multiply_scattered_vbmi(
    const ScatteredGroup& group, const Tiles& t) {
  multiply_all<VbmiScattered>(group, t);
}

}  // namespace espalier::runtime::sparse
#endif
