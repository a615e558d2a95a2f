// Blocks by AVX2: two registers of 8 outputs each.
#include "compress/runtime/sparse/blocks.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#include <utility>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

__attribute__((target("avx2"))) inline __m256i four_bytes(const std::uint8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof(four));
  return _mm256_set1_epi32(four);
}

__attribute__((target("avx2"))) inline __m256i add_products(__m256i sum, __m256i levels,
                                                            const std::int8_t* weights) {
  return sum_of_products(sum, levels, _mm256_load_si256(reinterpret_cast<const __m256i*>(weights)));
}

// P windows at once. J counts registers of 8 channels: two for each window. Constant indices keep
// them in registers.
template <int Pool, std::size_t... J>
__attribute__((target("avx2"))) inline void multiply(const RegisterGroup& group, const Tiles& t,
                                                     std::int64_t first,
                                                     std::index_sequence<J...>) {
  const std::int64_t* starts = t.starts.data() + first;
  __m256i sums[] = {((void)J, _mm256_setzero_si256())...};
  const std::int8_t* w = group.weights;
  for (const std::int32_t offset : group.offsets) {
    ((sums[J] = add_products(sums[J], four_bytes(t.x + offset + starts[J / 2]), w + J % 2 * 32)),
     ...);
    w += Blocks::kBytes;
  }
  const __m256i halves[] = {sums[J]...};
  finish_256<sizeof...(J) / 2, Pool>(halves, t, first);
}
template <int P>
using Halves = std::make_index_sequence<2 * P>;

template <int Pool>
__attribute__((target("avx2"))) inline void multiply_pooled(const RegisterGroup& group,
                                                            const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  for (; count - p >= 4; p += 4) multiply<Pool>(group, t, p, Halves<4>());
  if constexpr (Pool <= 2)
    if (count - p >= 2) multiply<Pool>(group, t, p, Halves<2>()), p += 2;
  if constexpr (Pool == 1)
    if (count - p >= 1) multiply<Pool>(group, t, p, Halves<1>());
}

}  // namespace

__attribute__((target("avx2"))) void multiply_blocks_avx2(const RegisterGroup& group,
                                                          const Tiles& t) {
  switch (t.pool) {
    case 1:
      return multiply_pooled<1>(group, t);
    case 2:
      return multiply_pooled<2>(group, t);
    case 4:
      return multiply_pooled<4>(group, t);
    default:  // 16 registers do not hold 8 windows
      return multiply_blocks_plain(group, t);
  }
}

}  // namespace espalier::runtime::sparse
#endif
