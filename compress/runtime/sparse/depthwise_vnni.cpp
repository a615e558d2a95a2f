// Depthwise columns by AVX-512 VNNI: one vpdpbusd for four rows of 16 channels.
#include "compress/runtime/sparse/avx512.hpp"
#include "compress/runtime/sparse/depthwise.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

struct VnniDepthwise {
  // P windows at once; of J, which counts sums as VnniBlocks does, the first P. A window has so few
  // registers that one chain for each is enough.
  template <int P, int Pool, std::size_t... J>
  ESPALIER_VNNI static void multiply(const RegisterGroup& group, const Tiles& t, std::int64_t first,
                                     std::index_sequence<J...>) {
    const std::int64_t* starts = t.starts.data() + first;
    const __m512i bias = _mm512_loadu_si512(t.finish.bias.data() + t.channel);
    __m512i sums[] = {((void)J, bias)...};
    const std::int8_t* w = group.weights;
    for (const std::int32_t offset : group.offsets) {
      const __m512i weights = _mm512_load_si512(w);
      ((sums[J] = J < P ? _mm512_dpbusd_epi32(
                              sums[J], _mm512_loadu_si512(t.x + offset + starts[J % P]), weights)
                        : sums[J]),
       ...);
      w += DepthwiseWeights::kBytes;
    }
    const __m512i chains[] = {sums[J]...};
    finish_512<P, Pool, 1>(chains, t, first);
  }
};

}  // namespace

ESPALIER_VNNI void multiply_depthwise_vnni(const RegisterGroup& group, const Tiles& t) {
  multiply_pooled<VnniDepthwise, 1>(group, t);
}

}  // namespace espalier::runtime::sparse
#endif
