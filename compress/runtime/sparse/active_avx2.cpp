// Active inputs by AVX2: a line of the cache in two halves, else as active_vnni.cpp.
#include "compress/runtime/sparse/active.hpp"

#if defined(__x86_64__)
#include <array>
#include <bit>

#include "compress/runtime/sparse/avx2.hpp"

namespace espalier::runtime::sparse {
namespace {

// For each set of bytes out of eight: where these are, in order.
constexpr auto kPlaces = [] {
  std::array<std::array<std::uint8_t, 8>, 256> places{};
  for (std::size_t set = 0; set < 256; ++set) {
    std::size_t n = 0;
    for (std::uint8_t i = 0; i < 8; ++i)
      if (set >> i & 1) places[set][n++] = i;
  }
  return places;
}();

// Whether sixteen bits hold the products of eight levels, two pairs in a lane, whatever the weights:
// where (x0 + x1 + x4 + x5) * 127 and (x2 + x3 + x6 + x7) * 127 are below 2^15.
inline bool are_small(const std::uint8_t* levels) {
  constexpr std::uint64_t kBytes = 0x00FF00FF00FF00FF;
  constexpr std::uint32_t kMost = 32767 / 127, kSigns = 0x80008000;
  std::uint64_t x;
  std::memcpy(&x, levels, sizeof(x));
  const std::uint64_t pairs = (x & kBytes) + (x >> 8 & kBytes);
  const auto sums = static_cast<std::uint32_t>(pairs + (pairs >> 32));
  return ((sums + 0x00010001 * (0x7FFF - kMost)) & kSigns) == 0;
}

// Adds the products of `count` inputs, a multiple of four. Products that are small become 32 bits wide once for
// eight inputs: that takes as long as multiplying four.
template <int Groups>
__attribute__((target("avx2"))) inline void add_products(Lines<Groups>& to, const std::int8_t* half,
                                                         const std::uint8_t* levels,
                                                         const std::int32_t* offsets,
                                                         std::int64_t count) {
  Lines<Groups> sums = to;
  const __m256i ones = _mm256_set1_epi16(1);
  const auto widened = [&](__m256i sum, __m256i pairs) __attribute__((target("avx2"))) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
  };
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i x = four_bytes(levels + i), next = four_bytes(levels + i + 4);
    Lines<Groups> pairs = interleaved<Groups>(half, offsets + i);
    for (int g = 0; g < Groups; ++g) pairs.of[g] = _mm256_maddubs_epi16(x, pairs.of[g]);
    const Lines<Groups> w = interleaved<Groups>(half, offsets + i + 4);
    if (are_small(levels + i)) [[likely]] {
      for (int g = 0; g < Groups; ++g)
        sums.of[g] =
            widened(sums.of[g], _mm256_add_epi16(pairs.of[g], _mm256_maddubs_epi16(next, w.of[g])));
    } else {
      for (int g = 0; g < Groups; ++g)
        sums.of[g] = sum_of_products(widened(sums.of[g], pairs.of[g]), next, w.of[g]);
    }
  }
  for (; i < count; i += 4) {
    const __m256i x = four_bytes(levels + i);
    const Lines<Groups> w = interleaved<Groups>(half, offsets + i);
    for (int g = 0; g < Groups; ++g) sums.of[g] = sum_of_products(sums.of[g], x, w.of[g]);
  }
  to = sums;
}

// Of a tile's first groups: each one's channels 0 to 7, then, of as many groups as have them, 8 to 15.
template <int Low, int High>
struct TileSums {
  Lines<Low> low;
  Lines<High> high;
};

template <int Count>
__attribute__((target("avx2"))) inline Lines<Count> zeros() {
  Lines<Count> sums;
  for (__m256i& sum : sums.of) sum = _mm256_setzero_si256();
  return sums;
}

template <int Count>
__attribute__((target("avx2"))) inline void take_larger(Lines<Count>& largest,
                                                        const Lines<Count>& sums) {
  for (int g = 0; g < Count; ++g) largest.of[g] = _mm256_max_epi32(largest.of[g], sums.of[g]);
}

// So many inputs at a time that the second half of their lines still lies in the first level of the cache.
template <int Low, int High>
__attribute__((target("avx2"))) inline TileSums<Low, High> products(const std::int8_t* tile,
                                                                    const ActiveInputs& active) {
  constexpr std::int64_t kInCache = 256;
  TileSums<Low, High> sums{zeros<Low>(), zeros<High>()};
  for (std::int64_t i = 0; i < active.count; i += kInCache) {
    const std::uint8_t* levels = active.levels.data() + i;
    const std::int32_t* offsets = active.offsets.data() + i;
    const std::int64_t count = std::min(kInCache, active.count - i);
    add_products(sums.low, tile, levels, offsets, count);
    add_products(sums.high, tile + ActiveWeights::kOutputs / 2, levels, offsets, count);
  }
  return sums;
}

template <int Low, int High>
__attribute__((target("avx2"))) void multiply_groups(const std::int8_t* tile,
                                                     std::span<const ActiveInputs> windows,
                                                     const Tiles& t, std::int64_t output) {
  TileSums<Low, High> largest = products<Low, High>(tile, windows.front());
  for (const ActiveInputs& window : windows.subspan(1)) {
    const TileSums<Low, High> sums = products<Low, High>(tile, window);
    take_larger(largest.low, sums.low), take_larger(largest.high, sums.high);
  }
  for (int g = 0; g < Low; ++g) {
    const __m256i group[] = {largest.low.of[g],
                             g < High ? largest.high.of[g] : _mm256_setzero_si256()};
    store_256(group, group_of_tile(t, g), output);
  }
}

}  // namespace

__attribute__((target("avx2"))) void find_active_avx2(const std::uint8_t* x, std::int64_t pixels,
                                                      std::int64_t channels, ActiveInputs& found,
                                                      std::int32_t* begins) {
  constexpr std::int64_t kWidth = 8;
  std::uint8_t* levels = found.levels.data();
  std::int32_t* offsets = found.offsets.data();
  const __m256i lines = _mm256_slli_epi32(_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0),
                                          std::countr_zero(std::size_t{ActiveWeights::kOutputs}));
  std::int64_t n = 0;
  for (std::int64_t p = 0; p < pixels; ++p) {
    begins[p] = static_cast<std::int32_t>(n);
    for (std::int64_t c = 0; c < channels; c += kWidth) {
      const std::int64_t i = p * channels + c;
      std::uint64_t word;
      std::memcpy(&word, x + i, sizeof(word));
      if (channels - c < kWidth) word &= ~std::uint64_t{0} >> (8 * (kWidth - (channels - c)));
      const __m128i bytes = _mm_cvtsi64_si128(static_cast<std::int64_t>(word));
      const auto zeros =
          static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
      const auto set = ~zeros & 0xFF;
      const __m128i places = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kPlaces[set].data()));
      const __m256i at = _mm256_add_epi32(
          lines, _mm256_set1_epi32(static_cast<std::int32_t>(i * ActiveWeights::kOutputs)));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(levels + n), _mm_shuffle_epi8(bytes, places));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(offsets + n),
                          _mm256_permutevar8x32_epi32(at, _mm256_cvtepu8_epi32(places)));
      n += std::popcount(set);
    }
  }
  begins[pixels] = static_cast<std::int32_t>(n);
  found.count = n;
}

__attribute__((target("avx2"))) void multiply_active_avx2(const std::int8_t* tile,
                                                          std::span<const ActiveInputs> windows,
                                                          const Tiles& t, std::int64_t output) {
  const std::int64_t channels = t.finish.channels - t.channel;
  const bool whole = channels % kLanes == 0 || channels % kLanes > kLanes / 2;
  switch (groups_of_tile(t)) {
    case 1:
      return multiply_groups<1, 1>(tile, windows, t, output);
    case 2:
      return (whole ? multiply_groups<2, 2> : multiply_groups<2, 1>)(tile, windows, t, output);
    case 3:
      return (whole ? multiply_groups<3, 3> : multiply_groups<3, 2>)(tile, windows, t, output);
    default:
      if (whole || channels > ActiveWeights::kOutputs)
        return multiply_groups<4, 4>(tile, windows, t, output);
      return multiply_groups<4, 3>(tile, windows, t, output);
  }
}

}  // namespace espalier::runtime::sparse
#endif
