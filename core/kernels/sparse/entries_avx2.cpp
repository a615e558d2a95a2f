#include "core/kernels/sparse/patch_blocks.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <bit>
#define ESPALIER_AVX2 __attribute__((target("avx2,fma")))

namespace espalier::kernels::sparse {
namespace {

ESPALIER_AVX2 inline __m256i lanes(std::int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct Vectors {
  static constexpr int kLanes = 8, kMostSums = 12;  // of 16 registers

  // A block of the patch whose sums stay in registers: `Height` rows of `Wide` registers, the last of
  // which has `last` lanes.
  template <int Height, int Wide>
  ESPALIER_AVX2 static void add_block(float* sum, const float* source, const std::int32_t* offsets,
                                      const float* values, std::int64_t entries, const Patch& patch,
                                      std::int64_t last) {
    const __m256i mask = lanes(last);
    __m256 sums[Height][Wide];
#pragma GCC unroll 16
    for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < Wide; ++j) {
        const float* from = sum + i * patch.sum_stride + j * kLanes;
        sums[i][j] = j + 1 < Wide ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask);
      }
    }
    for (std::int64_t e = 0; e < entries; ++e) {
      const __m256 value = _mm256_set1_ps(values[e]);
      const float* at = source + offsets[e];
#pragma GCC unroll 16
      for (int i = 0; i < Height; ++i) {
        const float* row = at + i * patch.source_stride;
#pragma GCC unroll 16
        for (int j = 0; j < Wide; ++j)
          sums[i][j] = _mm256_fmadd_ps(j + 1 < Wide ? _mm256_loadu_ps(row + j * kLanes)
                                                    : _mm256_maskload_ps(row + j * kLanes, mask),
                                       value, sums[i][j]);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < Wide; ++j) {
        float* to = sum + i * patch.sum_stride + j * kLanes;
        if (j + 1 < Wide)
          _mm256_storeu_ps(to, sums[i][j]);
        else
          _mm256_maskstore_ps(to, mask, sums[i][j]);
      }
    }
  }
};

ESPALIER_AVX2 void find(const float* row, std::int64_t n, std::int32_t scale, std::int32_t shift,
                        Entries& to) {
  for (std::int64_t i = 0; i < n; i += Vectors::kLanes) {
    const __m256 x = _mm256_maskload_ps(row + i, lanes(n - i));
    const __m256 found = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    for (auto bits = static_cast<unsigned>(_mm256_movemask_ps(found)); bits; bits &= bits - 1) {
      const std::int64_t index = i + std::countr_zero(bits);
      const auto at = static_cast<std::size_t>(to.size++);
      to.offsets[at] = static_cast<std::int32_t>(index) * scale + shift;
      to.values[at] = row[index];
    }
  }
}

}  // namespace

const EntryLoops kAvx2Loops{PatchBlocks<Vectors>::add, find};

}  // namespace espalier::kernels::sparse
#endif
