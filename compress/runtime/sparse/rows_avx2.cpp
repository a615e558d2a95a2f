// Rows of a dense layer by AVX2: 32 inputs of an output a register.
#include "compress/runtime/sparse/rows.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#include <utility>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

constexpr std::int64_t kWidth = 32, kAtOnce = 8;  // bytes of a register; outputs

__attribute__((target("avx2"))) inline std::int32_t sum_of_lanes(__m256i x) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)),
                two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

// The outputs from `first` on, J of them, of one image x,
// without their bias. Where the group has fewer: the last one's again.
template <std::size_t... J>
__attribute__((target("avx2"))) inline void multiply(const RowGroup& group, const std::uint8_t* x,
                                                     std::int64_t first, std::int32_t* to,
                                                     std::index_sequence<J...>) {
  const std::int8_t* const w[] = {
      group.weights +
      std::min<std::int64_t>(first + static_cast<std::int64_t>(J), group.outputs - 1) *
          group.inputs...};
  __m256i sums[] = {((void)J, _mm256_setzero_si256())...};
  std::int64_t i = 0;
  for (; i + kWidth <= group.inputs; i += kWidth) {
    const __m256i levels = bytes_at(x + i);
    ((sums[J] = sum_of_products(sums[J], levels, bytes_at(w[J] + i))), ...);
  }
  if (const std::int64_t left = group.inputs - i; left > 0) {
    alignas(32) std::int8_t rest[kAtOnce][kWidth] = {};
    (std::memcpy(rest[J], w[J] + i, static_cast<std::size_t>(left)), ...);
    const __m256i levels = bytes_at(x + i);
    ((sums[J] = sum_of_products(sums[J], levels, bytes_at(rest[J]))), ...);
  }
  ((to[J] = sum_of_lanes(sums[J])), ...);
}

}  // namespace

__attribute__((target("avx2"))) void multiply_rows_avx2(const RowGroup& group, const Tiles& t) {
  for (std::size_t n = 0; n < t.starts.size(); ++n) {
    alignas(32) std::int32_t sums[kLanes];
    for (std::int64_t first = 0; first < kLanes; first += kAtOnce)
      multiply(group, t.x + t.starts[n], first, sums + first,
               std::make_index_sequence<static_cast<std::size_t>(kAtOnce)>());
    const __m256i halves[2] = {bytes_at(sums), bytes_at(sums + 8)};
    store_256(halves, t, static_cast<std::int64_t>(n));
  }
}

}  // namespace espalier::runtime::sparse
#endif
