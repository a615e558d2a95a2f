#include "compress/runtime/sparse/planes.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

#include "compress/runtime/linear_parts.hpp"
#include "core/base/error.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::PackedLayer;

struct Tap {
  std::int32_t offset;
  std::int8_t weight;
};

constexpr std::int64_t kFour = 4;
std::int64_t whole_fours(std::int64_t taps) {
  return (taps + kFour - 1) / kFour * kFour;
}

// The least of `taps`, sorted, in an order in which each eight has small products: |w| of its numbers 0, 1, 4 and 5 times
// the largest level adds up to less than 2^15, and that of the others. As many as can be; they come first.
// Returns how many.
std::int64_t balance(std::vector<Tap>& taps) {
  constexpr int kMost = std::numeric_limits<std::int16_t>::max() / kernels::kMaxActivationLevel;
  // There and back like a snake, so that fours have about the same sum.
  const auto four = [&](std::size_t count, std::size_t i) {
    const std::size_t half = count / 2;
    return std::array{taps[i], taps[half - 1 - i], taps[half + i], taps[count - 1 - i]};
  };
  const auto are_small = [&](std::size_t count) {
    for (std::size_t i = 0; i < count / 4; ++i) {
      int sum = 0;
      for (const Tap& tap : four(count, i)) sum += std::abs(tap.weight);
      if (sum > kMost) return false;
    }
    return true;
  };
  std::size_t count = taps.size() / 8 * 8;
  while (count && !are_small(count)) count -= 8;
  std::vector<Tap> order(count);
  for (std::size_t i = 0; i < count / 4; ++i) {
    Tap* eight = order.data() + i / 2 * 8 + i % 2 * 2;
    const auto [a, b, c, d] = four(count, i);
    eight[0] = a, eight[1] = b, eight[4] = c, eight[5] = d;
  }
  std::ranges::copy(order, taps.begin());
  return static_cast<std::int64_t>(count);
}

}  // namespace

Planes planes_of(const PackedLayer& l, const Shape& x) {
  const Shape padded = padded_shape(l, x[0], {x[1], x[2], x[3]});
  const std::int64_t border = std::max(l.pad_left, l.pad_right);  // between rows
  return {.channels = x[3],
          .height = padded[1],
          .width = x[2] + border,
          .top = l.pad_top,
          .left = l.pad_left,
          .out_h = padded[1] - l.kernel_h + 1,
          .out_w = padded[2] - l.kernel_w + 1};
}

std::int64_t PlaneWeights::count(const PackedLayer& l) {
  const auto& levels = l.weight.levels;
  const std::int64_t each = std::ssize(levels) / l.weight.shape[0];
  std::int64_t taps = 0;
  for (auto at = levels.begin(); at != levels.end(); at += each)
    taps += whole_fours(each - std::count(at, at + each, std::int8_t{0}));
  return taps;
}

PlaneWeights::PlaneWeights(const PackedLayer& l, const Planes& p) {
  require(p.bytes() <= std::numeric_limits<std::int32_t>::max(), "PlaneWeights", "layer '", l.name,
          "' has planes of ", p.bytes(), " bytes, which offsets of 31 bits do not reach");
  const std::int8_t* weight = l.weight.levels.data();
  for (std::int64_t o = 0; o < l.weight.shape[0]; ++o) {
    std::vector<Tap> taps;
    for (std::int64_t h = 0; h < l.kernel_h; ++h)
      for (std::int64_t w = 0; w < l.kernel_w; ++w)
        for (std::int64_t c = 0; c < p.channels; ++c, ++weight) {
          const std::int64_t offset = c * p.plane() + h * p.width + w;
          if (*weight) taps.push_back({static_cast<std::int32_t>(offset), *weight});
        }
    taps.resize(static_cast<std::size_t>(whole_fours(std::ssize(taps))), Tap{0, 0});
    std::ranges::sort(taps, {}, [](const Tap& tap) {
      return std::pair(std::abs(tap.weight), tap.offset);  // the order is free, but always the same
    });
    small_.push_back(balance(taps));
    for (const Tap& tap : taps) offsets_.push_back(tap.offset), weights_.push_back(tap.weight);
    ends_.push_back(offsets_.size());
  }
}

PlaneTaps PlaneWeights::taps(std::int64_t channel) const {
  const auto i = static_cast<std::size_t>(channel);
  const std::size_t begin = i ? ends_[i - 1] : 0, count = ends_[i] - begin;
  return {.offsets = std::span(offsets_).subspan(begin, count),
          .weights = std::span(weights_).subspan(begin, count),
          .small = small_[i]};
}

void multiply_planes_plain(const std::uint8_t* planes, const PlaneTaps& taps,
                           std::int64_t positions, std::int32_t* sums) {
  std::fill_n(sums, positions, 0);
  for (std::size_t t = 0; t < taps.offsets.size(); ++t)
    for (std::int64_t p = 0; p < positions; ++p)
      sums[p] += planes[taps.offsets[t] + p] * taps.weights[t];
}

std::int32_t largest_of_window(const std::int32_t* sums, const PlanePool& s, std::int64_t row,
                               std::int64_t column) {
  const std::int32_t* window = sums + row * s.stride_h * s.row + column * s.stride_w;
  std::int32_t largest = *window;
  for (std::int64_t i = 0; i < s.height; ++i)
    for (std::int64_t j = 0; j < s.width; ++j) largest = std::max(largest, window[i * s.row + j]);
  return largest;
}

void finish_plane_plain(const std::int32_t* sums, const PlanePool& pool, const Finish& f,
                        std::size_t channel, std::uint8_t* levels) {
  for (std::int64_t p = 0; p < pool.out_h; ++p)
    for (std::int64_t q = 0; q < pool.out_w; ++q) {
      const std::int32_t sum = largest_of_window(sums, pool, p, q) + f.bias[channel];
      std::int32_t level =
          kernels::requantize(sum, f.multiplier[channel], f.range.zero_point, f.range.lowest);
      if (f.norm)
        level = kernels::normalized_level(level, f.range.zero_point, f.norm_multiplier[channel],
                                          f.norm_offset[channel], f.norm_range.zero_point,
                                          f.norm_range.lowest);
      *levels++ = static_cast<std::uint8_t>(level);
    }
}

PlaneKernels plane_kernels([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa != VectorIsa::kPlain) return {multiply_planes_avx2, finish_plane_avx2};
#endif
  return {multiply_planes_plain, finish_plane_plain};
}

}  // namespace espalier::runtime::sparse
