// Blocks by AVX-512 VNNI: one vpdpbusd a block and window.
#include "compress/runtime/sparse/avx512.hpp"
#include "compress/runtime/sparse/blocks.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

ESPALIER_VNNI inline __m512i four_bytes(const std::uint8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof(four));
  return _mm512_set1_epi32(four);
}

struct VnniBlocks {
  // P windows at once. J counts sums: several chains of P, so that of few windows a sum need not wait
  // for the one before it. Constant indices keep them in registers.
  template <int P, int Pool, std::size_t... J>
  ESPALIER_VNNI static void multiply(const RegisterGroup& group, const Tiles& t, std::int64_t first,
                                     std::index_sequence<J...>) {
    constexpr std::int64_t kChains = sizeof...(J) / P;
    const std::int64_t* starts = t.starts.data() + first;
    const __m512i bias = _mm512_loadu_si512(t.finish.bias.data() + t.channel);
    __m512i sums[] = {J < P ? bias : _mm512_setzero_si512()...};
    const std::int32_t *offset = group.offsets.data(), *end = offset + group.offsets.size();
    const std::int8_t* w = group.weights;
    if constexpr (kChains > 1)
      for (; end - offset >= kChains; offset += kChains, w += kChains * Blocks::kBytes)
        ((sums[J] = _mm512_dpbusd_epi32(sums[J], four_bytes(t.x + offset[J / P] + starts[J % P]),
                                        _mm512_load_si512(w + J / P * Blocks::kBytes))),
         ...);
    for (; offset != end; ++offset, w += Blocks::kBytes)
      ((sums[J] = J < P ? _mm512_dpbusd_epi32(sums[J], four_bytes(t.x + *offset + starts[J % P]),
                                              _mm512_load_si512(w))
                        : sums[J]),
       ...);
    const __m512i chains[] = {sums[J]...};
    finish_512<P, Pool, kChains>(chains, t, first);
  }
};

}  // namespace

ESPALIER_VNNI void multiply_blocks_vnni(const RegisterGroup& group, const Tiles& t) {
  multiply_all<VnniBlocks>(group, t);
}

}  // namespace espalier::runtime::sparse
#endif
