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

// P windows at once, and of few windows several chains of sums, so that a sum need not wait for the
// one before it.
template <int P>
ESPALIER_VNNI inline void multiply(const BlockGroup& group, const Tiles& t, std::int64_t first) {
  constexpr int kChains = P >= 4 ? 1 : 4 / P;
  const std::uint8_t* windows[P];
  for (int p = 0; p < P; ++p) windows[p] = t.x + t.starts[static_cast<std::size_t>(first + p)];
  __m512i sums[kChains][P];
  for (int k = 0; k < kChains; ++k)
    for (int p = 0; p < P; ++p)
      sums[k][p] =
          k ? _mm512_setzero_si512() : _mm512_loadu_si512(t.finish.bias.data() + t.channel);
  const std::int32_t *offset = group.offsets.data(), *end = offset + group.offsets.size();
  const std::int8_t* w = group.weights;
  if constexpr (kChains > 1)
    for (; end - offset >= kChains; offset += kChains)
      for (int k = 0; k < kChains; ++k, w += Blocks::kBytes) {
        const __m512i weights = _mm512_load_si512(w);
        for (int p = 0; p < P; ++p)
          sums[k][p] = _mm512_dpbusd_epi32(sums[k][p], four_bytes(windows[p] + offset[k]), weights);
      }
  for (; offset != end; ++offset, w += Blocks::kBytes) {
    const __m512i weights = _mm512_load_si512(w);
    for (int p = 0; p < P; ++p)
      sums[0][p] = _mm512_dpbusd_epi32(sums[0][p], four_bytes(windows[p] + *offset), weights);
  }
  for (int k = 1; k < kChains; ++k)
    for (int p = 0; p < P; ++p) sums[0][p] = _mm512_add_epi32(sums[0][p], sums[k][p]);
  finish_512(sums[0], t, first);
}

}  // namespace

ESPALIER_VNNI void multiply_blocks_vnni(const BlockGroup& group, const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  for (; count - p >= 8; p += 8) multiply<8>(group, t, p);
  if (count - p >= 4) multiply<4>(group, t, p), p += 4;
  if (count - p >= 2) multiply<2>(group, t, p), p += 2;
  if (count - p >= 1) multiply<1>(group, t, p);
}

}  // namespace espalier::runtime::sparse
#endif
