// Blocks by AVX2: vpmaddubsw is exact, as two products of levels and weights stay below 2^15
// (127 * 127 * 2), and vpmaddwd by ones adds the pairs into 32 bits.
#include "compress/runtime/sparse/blocks.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

// P windows of 16 channels, which take two registers.
template <int P>
ESPALIER_AVX2 inline void multiply(const BlockGroup& group, const Tiles& t, std::int64_t first) {
  const __m256i ones = _mm256_set1_epi16(1);
  const std::uint8_t* windows[P];
  for (int p = 0; p < P; ++p) windows[p] = t.x + t.starts[static_cast<std::size_t>(first + p)];
  __m256i sums[P][2];
  for (int p = 0; p < P; ++p) sums[p][0] = sums[p][1] = _mm256_setzero_si256();
  const std::int8_t* w = group.weights;
  for (const std::int32_t offset : group.offsets) {
    const __m256i low = _mm256_load_si256(reinterpret_cast<const __m256i*>(w)),
                  high = _mm256_load_si256(reinterpret_cast<const __m256i*>(w) + 1);
    w += Blocks::kBytes;
    for (int p = 0; p < P; ++p) {
      std::int32_t four;
      std::memcpy(&four, windows[p] + offset, sizeof(four));
      const __m256i x = _mm256_set1_epi32(four);
      sums[p][0] =
          _mm256_add_epi32(sums[p][0], _mm256_madd_epi16(_mm256_maddubs_epi16(x, low), ones));
      sums[p][1] =
          _mm256_add_epi32(sums[p][1], _mm256_madd_epi16(_mm256_maddubs_epi16(x, high), ones));
    }
  }
  finish_256(sums, t, first);
}

}  // namespace

ESPALIER_AVX2 void multiply_blocks_avx2(const BlockGroup& group, const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  if (t.pool == 8) return multiply_blocks_plain(group, t);
  for (; count - p >= 4; p += 4) multiply<4>(group, t, p);
  if (count - p >= 2) multiply<2>(group, t, p), p += 2;
  if (count - p >= 1) multiply<1>(group, t, p);
}

}  // namespace espalier::runtime::sparse
#endif
