#include "compress/runtime/sparse/transpose.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <algorithm>

namespace espalier::runtime::sparse {

#if defined(__SSE2__)
namespace {

constexpr std::int64_t kSide = 8;

void transpose_square(const std::uint8_t* from, std::int64_t from_stride, std::uint8_t* to,
                      std::int64_t to_stride) {
  const auto row = [&](std::int64_t r) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + r * from_stride));
  };
  // Twos, fours, then eights of a column side by side.
  const __m128i ab = _mm_unpacklo_epi8(row(0), row(1)), cd = _mm_unpacklo_epi8(row(2), row(3)),
                ef = _mm_unpacklo_epi8(row(4), row(5)), gh = _mm_unpacklo_epi8(row(6), row(7));
  const __m128i ad[] = {_mm_unpacklo_epi16(ab, cd), _mm_unpackhi_epi16(ab, cd)},
                eh[] = {_mm_unpacklo_epi16(ef, gh), _mm_unpackhi_epi16(ef, gh)};
  for (int i = 0; i < 2; ++i) {
    const __m128i columns[] = {_mm_unpacklo_epi32(ad[i], eh[i]), _mm_unpackhi_epi32(ad[i], eh[i])};
    for (int j = 0; j < 2; ++j) {
      std::uint8_t* at = to + (4 * i + 2 * j) * to_stride;
      _mm_storel_epi64(reinterpret_cast<__m128i*>(at), columns[j]);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(at + to_stride),
                       _mm_unpackhi_epi64(columns[j], columns[j]));
    }
  }
}

}  // namespace
#endif

void transpose_bytes(const std::uint8_t* from, std::int64_t rows, std::int64_t columns,
                     std::int64_t from_stride, std::uint8_t* to, std::int64_t to_stride) {
  if (columns == 1 && from_stride == 1) {
    std::copy_n(from, rows, to);
    return;
  }
#if defined(__SSE2__)
  if (rows >= kSide && columns >= kSide) {  // the last squares may overlap the ones before
    for (std::int64_t i = 0; i < rows; i += kSide)
      for (std::int64_t j = 0; j < columns; j += kSide) {
        const std::int64_t r = std::min(i, rows - kSide), c = std::min(j, columns - kSide);
        transpose_square(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                         to_stride);
      }
    return;
  }
#endif
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * from_stride + c];
}

}  // namespace espalier::runtime::sparse
