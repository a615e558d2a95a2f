#include "core/kernels/sparse/patch_blocks.hpp"

#include "core/kernels/avx512.hpp"

#if defined(__x86_64__)
namespace espalier::kernels::sparse {
namespace {

struct Vectors {
  static constexpr int kLanes = 16, kMostSums = 30;  // of 32 registers

  // A block of the patch whose sums stay in registers: `Height` rows of `Wide` registers, the last of
  // which has `lanes` lanes.
  template <int Height, int Wide>
  ESPALIER_AVX512 static void add_block(float* sum, const float* source,
                                        const std::int32_t* offsets, const float* values,
                                        std::int64_t entries, const Patch& patch,
                                        std::int64_t lanes) {
    const __mmask16 last = first_lanes(lanes);
    __m512 sums[Height][Wide];
#pragma GCC unroll 32
    for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < Wide; ++j) {
        const float* from = sum + i * patch.sum_stride + j * kLanes;
        sums[i][j] = j + 1 < Wide ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(last, from);
      }
    }
    for (std::int64_t e = 0; e < entries; ++e) {
      const __m512 value = _mm512_set1_ps(values[e]);
      const float* at = source + offsets[e];
#pragma GCC unroll 32
      for (int i = 0; i < Height; ++i) {
        const float* row = at + i * patch.source_stride;
#pragma GCC unroll 32
        for (int j = 0; j < Wide; ++j)
          sums[i][j] = _mm512_fmadd_ps(j + 1 < Wide ? _mm512_loadu_ps(row + j * kLanes)
                                                    : _mm512_maskz_loadu_ps(last, row + j * kLanes),
                                       value, sums[i][j]);
      }
    }
#pragma GCC unroll 32
    for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < Wide; ++j) {
        float* to = sum + i * patch.sum_stride + j * kLanes;
        if (j + 1 < Wide)
          _mm512_storeu_ps(to, sums[i][j]);
        else
          _mm512_mask_storeu_ps(to, last, sums[i][j]);
      }
    }
  }
};

ESPALIER_AVX512 void find(const float* row, std::int64_t n, std::int32_t scale, std::int32_t shift,
                          Entries& to) {
  const __m512i step = _mm512_set1_epi32(scale * Vectors::kLanes);
  __m512i offset = _mm512_add_epi32(
      _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(scale)),
      _mm512_set1_epi32(shift));
  std::int32_t* offsets = to.offsets.data() + to.size;
  float* values = to.values.data() + to.size;
  for (std::int64_t i = 0; i < n; i += Vectors::kLanes) {
    const __mmask16 lanes = first_lanes(n - i);
    const __m512 x = _mm512_maskz_loadu_ps(lanes, row + i);
    const __mmask16 found = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    // Compressed in a register: compressing stores are slow on some processors.
    _mm512_storeu_si512(offsets, _mm512_maskz_compress_epi32(found, offset));
    _mm512_storeu_ps(values, _mm512_maskz_compress_ps(found, x));
    const int count = __builtin_popcount(found);
    offsets += count, values += count;
    offset = _mm512_add_epi32(offset, step);
  }
  to.size = values - to.values.data();
}

}  // namespace

const EntryLoops kAvx512Loops{PatchBlocks<Vectors>::add, find};

}  // namespace espalier::kernels::sparse
#endif
