#include "core/kernels/sparse/transpose.hpp"

#include <algorithm>

#include "core/kernels/avx512.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::kernels::sparse {
namespace {

constexpr std::int64_t kTile = 16;

void plain_tile(const float* from, std::int64_t from_stride, float* to, std::int64_t to_stride,
                std::int64_t rows, std::int64_t columns) {
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r) to[c * to_stride + r] = from[r * from_stride + c];
}

#if defined(__x86_64__)
// 16 x 16. Four rounds, each of which exchanges blocks of half the size of the last one's: pairs of
// numbers, pairs of pairs, quarters of registers, halves.
ESPALIER_AVX512 void vector_tile(const float* from, std::int64_t from_stride, float* to,
                                 std::int64_t to_stride) {
  __m512 a[kTile], b[kTile];
#pragma GCC unroll 16
  for (int i = 0; i < kTile; ++i) a[i] = _mm512_loadu_ps(from + i * from_stride);
#pragma GCC unroll 16
  for (int i = 0; i < kTile; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kTile; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(b[i + j]), high = _mm512_castps_pd(b[i + j + 2]);
      a[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      a[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
    // a[4 g + k] holds, in its quarter q, column 4 q + k of the rows 4 g to 4 g + 3.
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m512 low02 = _mm512_shuffle_f32x4(a[k], a[4 + k], 0x88),
                 low13 = _mm512_shuffle_f32x4(a[k], a[4 + k], 0xdd),
                 high02 = _mm512_shuffle_f32x4(a[8 + k], a[12 + k], 0x88),
                 high13 = _mm512_shuffle_f32x4(a[8 + k], a[12 + k], 0xdd);
    _mm512_storeu_ps(to + k * to_stride, _mm512_shuffle_f32x4(low02, high02, 0x88));
    _mm512_storeu_ps(to + (8 + k) * to_stride, _mm512_shuffle_f32x4(low02, high02, 0xdd));
    _mm512_storeu_ps(to + (4 + k) * to_stride, _mm512_shuffle_f32x4(low13, high13, 0x88));
    _mm512_storeu_ps(to + (12 + k) * to_stride, _mm512_shuffle_f32x4(low13, high13, 0xdd));
  }
}
#endif

}  // namespace

void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_stride) {
  for (std::int64_t c = 0; c < columns; c += kTile)
    for (std::int64_t r = 0; r < rows; r += kTile) {
      const std::int64_t high = std::min(kTile, rows - r), wide = std::min(kTile, columns - c);
      const float* corner = from + r * from_stride + c;
      float* target = to + c * to_stride + r;
#if defined(__x86_64__)
      static const bool vectors = vector_isa() >= VectorIsa::kVnni;
      if (vectors && high == kTile && wide == kTile) {
        vector_tile(corner, from_stride, target, to_stride);
        continue;
      }
#endif
      plain_tile(corner, from_stride, target, to_stride, high, wide);
    }
}

Tensor transposed(const Tensor& matrix) {
  const std::int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  Tensor result = Tensor::uninitialized({columns, rows});
  transpose(matrix.data(), columns, rows, columns, result.mutable_data(), rows);
  return result;
}

}  // namespace espalier::kernels::sparse
