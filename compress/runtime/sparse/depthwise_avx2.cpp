// Depthwise columns by AVX2: two registers of 8 channels each.
#include "compress/runtime/sparse/depthwise.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#include <utility>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

// Windows at once; J counts registers, two for each.
template <std::size_t... J>
__attribute__((target("avx2"))) inline void multiply(const RegisterGroup& group, const Tiles& t,
                                                     std::int64_t first,
                                                     std::index_sequence<J...>) {
  const std::int64_t* starts = t.starts.data() + first;
  __m256i sums[] = {((void)J, _mm256_setzero_si256())...};
  const std::int8_t* w = group.weights;
  for (const std::int32_t offset : group.offsets) {
    const __m256i weights[] = {bytes_at(w), bytes_at(w + 32)};
    ((sums[J] = sum_of_products(sums[J], bytes_at(t.x + offset + starts[J / 2] + J % 2 * 32),
                                weights[J % 2])),
     ...);
    w += DepthwiseWeights::kBytes;
  }
  const __m256i halves[] = {sums[J]...};
  finish_256<sizeof...(J) / 2, 1>(halves, t, first);
}

}  // namespace

__attribute__((target("avx2"))) void multiply_depthwise_avx2(const RegisterGroup& group,
                                                             const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t q = 0;
  for (; count - q >= 4; q += 4) multiply(group, t, q, std::make_index_sequence<8>());
  for (; q < count; ++q) multiply(group, t, q, std::make_index_sequence<2>());
}

}  // namespace espalier::runtime::sparse
#endif
