// Bias, maximum, requantization and batch norm of 16 channels in AVX-512 registers: finish_plain's
// twin, for the kernels of this folder alone. Every operation is the one of core/kernels/integer.hpp
// in its order: the rounding of cvtps is half to even, and max_ps yields its second operand for NaN.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "compress/runtime/sparse/finish.hpp"

// What VectorIsa::kVnni promises.
#define ESPALIER_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace espalier::runtime::sparse {

// Range in registers.
struct Range512 {
  ESPALIER_VNNI explicit Range512(const Range& r)
      : low(_mm512_set1_ps(r.low)),
        high(_mm512_set1_ps(r.high)),
        zero_point(_mm512_set1_epi32(r.zero_point)) {}
  // clamp(rint(x) + zero_point, lowest, 127)
  ESPALIER_VNNI __m512i nearest_level(__m512 x) const {
    return _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(x, low), high)),
                            zero_point);
  }

  __m512 low, high;
  __m512i zero_point;
};

// Finish for the tiles' group of channels. What it reads stands in registers, once for all outputs:
// the compiler cannot know that storing bytes leaves it alone.
class Finish512 {
 public:
  ESPALIER_VNNI explicit Finish512(const Tiles& t)
      : y_(t.y),
        outputs_(t.outputs.empty() ? nullptr : t.outputs.data()),
        channels_(t.finish.channels),
        channel_(t.channel),
        whole_(channels_ - channel_ >= kLanes),
        lanes_(_cvtu32_mask16(whole_ ? 0xFFFF : (1u << (channels_ - channel_)) - 1)),
        levels_(t.finish.levels),
        relu_(t.finish.relu),
        norm_(t.finish.norm),
        multiplier_(_mm512_loadu_ps(t.finish.multiplier.data() + t.channel)),
        range_(t.finish.range),
        norm_range_(t.finish.norm_range) {
    if (!norm_) return;
    norm_multiplier_ = _mm512_loadu_ps(t.finish.norm_multiplier.data() + t.channel);
    norm_offset_ = _mm512_loadu_ps(t.finish.norm_offset.data() + t.channel);
  }

  // Sums with their bias, maximum taken, to output number `output`.
  ESPALIER_VNNI void store(__m512i sums, std::int64_t output) const {
    const std::int64_t at = (outputs_ ? outputs_[output] : output) * channels_ + channel_;
    const __m512 real = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), multiplier_);
    if (!levels_) {
      const __m512 value = relu_ ? _mm512_max_ps(_mm512_setzero_ps(), real) : real;
      _mm512_mask_storeu_ps(static_cast<float*>(y_) + at, lanes_, value);
      return;
    }
    __m512i level = range_.nearest_level(real);
    if (norm_) {
      const __m512 from = _mm512_cvtepi32_ps(_mm512_sub_epi32(level, range_.zero_point));
      level = norm_range_.nearest_level(
          _mm512_add_ps(_mm512_mul_ps(from, norm_multiplier_), norm_offset_));
    }
    const __m128i bytes = _mm512_cvtepi32_epi8(level);
    std::uint8_t* to = static_cast<std::uint8_t*>(y_) + at;
    if (whole_)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    else
      _mm_mask_storeu_epi8(to, lanes_, bytes);
  }

 private:
  void* y_;
  const std::int32_t* outputs_;  // Tiles::outputs
  std::int64_t channels_, channel_;
  bool whole_;  // group of channels
  __mmask16 lanes_;
  bool levels_, relu_, norm_;
  __m512 multiplier_;
  Range512 range_, norm_range_;
  __m512 norm_multiplier_ = _mm512_setzero_ps(), norm_offset_ = _mm512_setzero_ps();
};

// The P windows from `first` on to P / Pool outputs. sums: [Chains P].
template <int P, int Pool, int Chains>
ESPALIER_VNNI inline void finish_512(const __m512i* sums, const Tiles& t, std::int64_t first) {
  const Finish512 finish(t);
  for (int i = 0; i < P; i += Pool) {
    __m512i largest = _mm512_setzero_si512();
    for (int p = i; p < i + Pool; ++p) {
      __m512i sum = sums[p];
      for (int k = 1; k < Chains; ++k) sum = _mm512_add_epi32(sum, sums[k * P + p]);
      largest = p == i ? sum : _mm512_max_epi32(largest, sum);
    }
    finish.store(largest, (first + i) / Pool);
  }
}

// Sums for P windows at once: at least four chains.
template <int P>
using SumsFor = std::make_index_sequence<(P < 4 ? 4 : P)>;

// Kernel::multiply<P, Pool>(group, tiles, first, SumsFor<P>()) over all windows, P at a time.
template <class Kernel, int Pool, class Group>
ESPALIER_VNNI inline void multiply_pooled(const Group& group, const Tiles& t) {
  const auto count = static_cast<std::int64_t>(t.starts.size());
  std::int64_t p = 0;
  for (; count - p >= 8; p += 8) Kernel::template multiply<8, Pool>(group, t, p, SumsFor<8>());
  if constexpr (Pool <= 4)
    if (count - p >= 4) Kernel::template multiply<4, Pool>(group, t, p, SumsFor<4>()), p += 4;
  if constexpr (Pool <= 2)
    if (count - p >= 2) Kernel::template multiply<2, Pool>(group, t, p, SumsFor<2>()), p += 2;
  if constexpr (Pool == 1)
    if (count - p >= 1) Kernel::template multiply<1, Pool>(group, t, p, SumsFor<1>());
}

template <class Kernel, class Group>
ESPALIER_VNNI inline void multiply_all(const Group& group, const Tiles& t) {
  switch (t.pool) {
    case 1:
      return multiply_pooled<Kernel, 1>(group, t);
    case 2:
      return multiply_pooled<Kernel, 2>(group, t);
    case 4:
      return multiply_pooled<Kernel, 4>(group, t);
    case 8:
      return multiply_pooled<Kernel, 8>(group, t);
  }
}

}  // namespace espalier::runtime::sparse
#endif
