#include "core/kernels/loops/pooled_rows.hpp"

#include "core/kernels/loops/maximum_avx512.hpp"

#if defined(__x86_64__)
#include <array>
#include <utility>

namespace espalier::kernels::loops {
namespace {

constexpr int kLanes = 16, kSums = 24;  // of 32 registers

// `Windows` side by side, all their outputs in `Wide` registers each.
template <int Wide, int Windows>
ESPALIER_AVX512 void block(const float* x, const float* weights, const float* bias, float* y,
                           std::uint8_t* where, const PooledWindows& r) {
  __m512 sums[2][2 * Windows][Wide];
#pragma GCC unroll 32
  for (int i = 0; i < 2; ++i)
#pragma GCC unroll 32
    for (int p = 0; p < 2 * Windows; ++p)
#pragma GCC unroll 32
      for (int j = 0; j < Wide; ++j) sums[i][p][j] = _mm512_loadu_ps(bias + j * kLanes);
  for (const std::int32_t tap : r.taps) {
    __m512 w[Wide];
#pragma GCC unroll 32
    for (int j = 0; j < Wide; ++j) w[j] = _mm512_loadu_ps(weights + j * kLanes);
#pragma GCC unroll 32
    for (int i = 0; i < 2; ++i) {
      const float* from = x + tap + i * r.down;
#pragma GCC unroll 32
      for (int p = 0; p < 2 * Windows; ++p) {
        const __m512 value = _mm512_set1_ps(from[p]);
#pragma GCC unroll 32
        for (int j = 0; j < Wide; ++j) sums[i][p][j] = _mm512_fmadd_ps(w[j], value, sums[i][p][j]);
      }
    }
    weights += kMostOutputs;
  }
#pragma GCC unroll 32
  for (int q = 0; q < Windows; ++q)
#pragma GCC unroll 32
    for (int j = 0; j < Wide; ++j) {
      Maximum512 best(sums[0][2 * q][j]);
      best.meet(sums[0][2 * q + 1][j], 1);
      best.meet(sums[1][2 * q][j], 2);
      best.meet(sums[1][2 * q + 1][j], 3);
      best.relu();
      const std::int64_t at = q * r.outputs + j * kLanes;
      best.store(first_lanes(r.outputs - j * kLanes), y + at, where + at);
    }
}

using Block = void (*)(const float*, const float*, const float*, float*, std::uint8_t*,
                       const PooledWindows&);
template <int Wide, int... I>
constexpr std::array<Block, sizeof...(I)> blocks(std::integer_sequence<int, I...>) {
  return {block<Wide, I + 1>...};
}

// Lit windows in blocks as large as they come; the others yield what the bias does.
template <int Wide>
ESPALIER_AVX512 void row(const float* x, const float* weights, const float* bias, float* y,
                         std::uint8_t* where, const PooledWindows& r) {
  constexpr std::int64_t kMost = kSums / 4 / Wide;
  static constexpr auto kBlocks =
      blocks<Wide>(std::make_integer_sequence<int, static_cast<int>(kMost)>());
  const auto lit = [&](std::int64_t q) { return r.lit[static_cast<std::size_t>(q)] != 0; };
  for (std::int64_t q = 0; q < r.windows;) {
    if (!lit(q)) {
      for (int j = 0; j < Wide; ++j) {
        Maximum512 best(_mm512_loadu_ps(bias + j * kLanes));
        best.relu();
        const std::int64_t at = q * r.outputs + j * kLanes;
        best.store(first_lanes(r.outputs - j * kLanes), y + at, where + at);
      }
      ++q;
      continue;
    }
    std::int64_t size = 1;
    while (size < kMost && q + size < r.windows && lit(q + size)) ++size;
    kBlocks[static_cast<std::size_t>(size - 1)](x + 2 * q, weights, bias, y + q * r.outputs,
                                                where + q * r.outputs, r);
    q += size;
  }
}

// dw of `Taps` taps and 16 outputs from `first` on, which stay in registers all over the image.
template <int Taps>
ESPALIER_AVX512 void gradient(const float* x, const std::int32_t* taps, const float* dy,
                              const std::uint8_t* where, float* dw, std::int64_t first,
                              std::int64_t rows, std::int64_t step, const PooledWindows& r) {
  const __mmask16 mask = first_lanes(r.outputs - first);
  __m512 sums[Taps];
#pragma GCC unroll 32
  for (int t = 0; t < Taps; ++t) sums[t] = _mm512_setzero_ps();
  for (std::int64_t p = 0; p < rows; ++p)
    for (std::int64_t q = 0; q < r.windows; ++q) {
      const std::int64_t window = p * r.windows + q, at = window * r.outputs + first;
      if (!r.lit[static_cast<std::size_t>(window)]) continue;
      const __m512 all = _mm512_maskz_loadu_ps(mask, dy + at);
      const __m512i which = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, where + at));
      const auto at_pixel = [&](int number) ESPALIER_AVX512 {
        return _mm512_maskz_mov_ps(_mm512_cmpeq_epi32_mask(which, _mm512_set1_epi32(number)), all);
      };
      const __m512 d0 = at_pixel(0), d1 = at_pixel(1), d2 = at_pixel(2), d3 = at_pixel(3);
      const float* from = x + p * step + 2 * q;
#pragma GCC unroll 32
      for (int t = 0; t < Taps; ++t) {
        const float *above = from + taps[t], *below = above + r.down;
        sums[t] = _mm512_fmadd_ps(d0, _mm512_set1_ps(above[0]), sums[t]);
        sums[t] = _mm512_fmadd_ps(d1, _mm512_set1_ps(above[1]), sums[t]);
        sums[t] = _mm512_fmadd_ps(d2, _mm512_set1_ps(below[0]), sums[t]);
        sums[t] = _mm512_fmadd_ps(d3, _mm512_set1_ps(below[1]), sums[t]);
      }
    }
#pragma GCC unroll 32
  for (int t = 0; t < Taps; ++t) _mm512_storeu_ps(dw + t * kMostOutputs, sums[t]);
}

using Gradient = void (*)(const float*, const std::int32_t*, const float*, const std::uint8_t*,
                          float*, std::int64_t, std::int64_t, std::int64_t, const PooledWindows&);
template <int... I>
constexpr std::array<Gradient, sizeof...(I)> gradients(std::integer_sequence<int, I...>) {
  return {gradient<I + 1>...};
}

}  // namespace

ESPALIER_AVX512 std::uint64_t nonzeros_avx512(const float* x, std::int64_t count) {
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const __m512 values = _mm512_maskz_loadu_ps(first_lanes(count - i), x + i);
    bits |=
        std::uint64_t{_cvtmask16_u32(_mm512_cmp_ps_mask(values, _mm512_setzero_ps(), _CMP_NEQ_UQ))}
        << i;
  }
  return bits;
}

void pooled_row_avx512(const float* x, const float* weights, const float* bias, float* y,
                       std::uint8_t* where, const PooledWindows& r) {
  r.outputs > kLanes ? row<2>(x, weights, bias, y, where, r)
                     : row<1>(x, weights, bias, y, where, r);
}

ESPALIER_AVX512 void pooled_gradient_avx512(const float* x, const float* dy,
                                            const std::uint8_t* where, float* dw, float* dbias,
                                            std::int64_t rows, std::int64_t step,
                                            const PooledWindows& r) {
  static constexpr auto kGradients = gradients(std::make_integer_sequence<int, kSums>());
  const auto taps = std::ssize(r.taps), parts = (taps + kSums - 1) / kSums;
  for (std::int64_t first = 0; first < r.outputs; first += kLanes) {
    for (std::int64_t i = 0; i < parts; ++i) {
      const std::int64_t begin = taps * i / parts, count = taps * (i + 1) / parts - begin;
      kGradients[static_cast<std::size_t>(count - 1)](x, r.taps.data() + begin, dy, where,
                                                      dw + begin * kMostOutputs + first, first,
                                                      rows, step, r);
    }
    const __mmask16 mask = first_lanes(r.outputs - first);
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t at = first; at < rows * r.windows * r.outputs; at += r.outputs) {
      const __m128i which = _mm_maskz_loadu_epi8(mask, where + at);
      const __mmask16 somewhere =
          _mm_mask_cmpneq_epi8_mask(mask, which, _mm_set1_epi8(static_cast<char>(kNowhere)));
      sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(somewhere, dy + at));
    }
    _mm512_storeu_ps(dbias + first, sum);
  }
}

}  // namespace espalier::kernels::loops
#endif
