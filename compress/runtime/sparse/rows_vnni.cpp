// Rows of a dense layer by AVX-512 VNNI: one vpdpbusd for 64 inputs of an output.
#include "compress/runtime/sparse/avx512.hpp"
#include "compress/runtime/sparse/rows.hpp"

#if defined(__x86_64__)
namespace espalier::runtime::sparse {
namespace {

// In each quarter of the register: a b c d, each the sum of that quarter of its own.
ESPALIER_VNNI inline __m512i sums_of_quarters(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)),
                cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

// The sums of a's neighbouring quarters, then those of b's.
ESPALIER_VNNI inline __m512i pairs_of_quarters(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
}

// Registers of 64 inputs, 8 outputs at once: as many streams of weights as the processor follows well.
constexpr std::int64_t kWidth = 64, kAtOnce = 8;

// Inputs before the first that stands at a whole line of the cache, where that is the same in every row:
// loads across two lines cost a tenth of the time.
std::int64_t inputs_before_line(const RowGroup& group) {
  if (group.inputs % kWidth) return 0;
  const auto address = reinterpret_cast<std::uintptr_t>(group.weights);
  return static_cast<std::int64_t>(-address % kWidth);
}

// One image x and the outputs from `first` on, counted by J: constant indices keep their sums in
// registers. Where the group has fewer outputs: the last one's again. Each
// output's sum is that of two quarters.
template <std::size_t... J>
ESPALIER_VNNI inline __m512i multiply(const RowGroup& group, const std::uint8_t* x,
                                      std::int64_t first, std::index_sequence<J...>) {
  const std::int8_t* const w[] = {
      group.weights +
      std::min<std::int64_t>(first + static_cast<std::int64_t>(J), group.outputs - 1) *
          group.inputs...};
  __m512i sums[] = {((void)J, _mm512_setzero_si512())...};
  const auto add_some = [&](std::int64_t i, std::int64_t count) ESPALIER_VNNI {
    const __mmask64 some = _cvtu64_mask64(~std::uint64_t{0} >> (kWidth - count));
    const __m512i levels = _mm512_maskz_loadu_epi8(some, x + i);
    ((sums[J] = _mm512_dpbusd_epi32(sums[J], levels, _mm512_maskz_loadu_epi8(some, w[J] + i))),
     ...);
  };
  std::int64_t i = inputs_before_line(group);
  if (i > 0) add_some(0, i);
  for (; i + kWidth <= group.inputs; i += kWidth) {
    const __m512i levels = _mm512_loadu_si512(x + i);
    ((sums[J] = _mm512_dpbusd_epi32(sums[J], levels, _mm512_loadu_si512(w[J] + i))), ...);
  }
  if (i < group.inputs) add_some(i, group.inputs - i);
  return pairs_of_quarters(sums_of_quarters(sums[0], sums[1], sums[2], sums[3]),
                           sums_of_quarters(sums[4], sums[5], sums[6], sums[7]));
}

}  // namespace

ESPALIER_VNNI void multiply_rows_vnni(const RowGroup& group, const Tiles& t) {
  constexpr auto eight = std::make_index_sequence<static_cast<std::size_t>(kAtOnce)>();
  const Finish512 finish(t);
  const __m512i bias = _mm512_loadu_si512(t.finish.bias.data() + t.channel);
  for (std::size_t n = 0; n < t.starts.size(); ++n) {
    const std::uint8_t* x = t.x + t.starts[n];
    const __m512i low = multiply(group, x, 0, eight), high = multiply(group, x, kAtOnce, eight);
    finish.store(_mm512_add_epi32(pairs_of_quarters(low, high), bias),
                 static_cast<std::int64_t>(n));
  }
}

}  // namespace espalier::runtime::sparse
#endif
