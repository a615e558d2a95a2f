// Tensors of few distinct values, as clustering makes them (Han et al. 2016): the values once, then
// for each weight which of them it is. One template for all coders. Zero is never listed: it costs
// one flag a weight, as in any sparse tensor.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "compress/format/level_coder.hpp"
#include "compress/format/packed_model.hpp"

namespace espalier::format {

constexpr std::size_t kMostColours = 254;  // values in a palette

// What a weight is, when palettes are ranks: 0, or its place in the palette as a level of eight bits:
// 1 to 127, then -1 to -127.
inline std::int8_t rank_of(std::size_t place) {
  return static_cast<std::int8_t>(place < 127 ? static_cast<int>(place) + 1
                                              : 126 - static_cast<int>(place));
}
inline std::size_t place_of(std::int8_t rank) {
  return static_cast<std::size_t>(rank > 0 ? rank - 1 : 126 - rank);
}

// The distinct values other than 0, ascending; empty when there are none or more than `most`.
template <class T>
std::vector<T> palette_of(std::span<const T> values, std::size_t most) {
  std::vector<T> found;
  for (const T v : values) {
    if (v == 0) continue;
    const auto at = std::ranges::lower_bound(found, v);
    if (at != found.end() && *at == v) continue;
    if (found.size() == most) return {};
    found.insert(at, v);
  }
  return found;
}

// Whether each weight is 0, given the left and the upper one (columns of the first axis's rows);
// then its place, through a tree of models. Large tensors: the fast profile, on ranks.
template <class Coder>
class RankCoder {
 public:
  RankCoder(Coder& coder, std::span<std::int8_t> ranks, std::size_t rows, std::size_t colours)
      : coder_(coder), ranks_(ranks), rows_(rows), colours_(colours) {}

  void code() {
    if constexpr (!Coder::kPlain) {
      if (ranks_.size() >= kFastFrom) {
        LevelModels models;
        const LevelShape shape{.outputs = rows_, .inputs = ranks_.size() / rows_};
        return LevelCoder(coder_, ranks_, shape, 8, models).fast();
      }
    }
    const std::size_t columns = ranks_.size() / rows_;
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      const bool left = i % columns != 0 && ranks_[i - 1] != 0;
      const bool upper = i >= columns && ranks_[i - columns] != 0;
      std::int8_t& rank = ranks_[i];
      if (!coder_.bit(nonzero_[(left ? 1u : 0u) + (upper ? 2u : 0u)], rank != 0)) continue;
      rank = rank_of(code_place(rank == 0 ? 0 : place_of(rank)));
    }
  }

 private:
  // High bit first. No encoder writes places past the end; the reader finds that out.
  std::size_t code_place(std::size_t place) {
    std::size_t node = 1;
    for (int bit = static_cast<int>(std::bit_width(colours_ - 1)) - 1; bit >= 0; --bit)
      node = node << 1 | (coder_.bit(tree_[node], (place >> bit) & 1) ? 1u : 0u);
    return std::min(node - std::bit_floor(node), colours_ - 1);
  }

  Coder& coder_;
  std::span<std::int8_t> ranks_;
  std::size_t rows_, colours_;
  std::array<BitModel, 4> nonzero_;
  std::array<BitModel, 256> tree_;
};

// Encoders alone: the ranks of values in their palette.
template <class T>
std::vector<std::int8_t> ranks_in(std::span<const T> values, const std::vector<T>& palette) {
  std::vector<std::int8_t> ranks;
  for (const T v : values)
    ranks.push_back(v == 0 ? std::int8_t{0}
                           : rank_of(static_cast<std::size_t>(std::ranges::lower_bound(palette, v) -
                                                              palette.begin())));
  return ranks;
}

// Encoders alone: whether a palette makes the tensor shorter. Floats of few values: always. Levels:
// when they are few of their grid's, and range-coded on their own, whole bytes, they take less; large
// tensors' levels have a table of shares as it is.
inline bool palette_pays(const StoredWeight& weight) {
  if (weight.is_float()) {
    const std::span<const float> values(weight.values);
    const auto is_negative_zero = [](float v) { return v == 0 && std::signbit(v); };
    if (std::ranges::any_of(values, is_negative_zero)) return false;  // no palette's zero
    const auto palette = palette_of(values, std::min(kMostColours, values.size() / 8));
    return !palette.empty();
  }
  const std::span<const std::int8_t> levels(weight.levels);
  const std::size_t most = std::size_t{1} << std::max(weight.bits - 2, 0);
  const auto palette = palette_of(levels, std::min(most, kMostColours));
  if (palette.empty() || levels.size() >= kFastFrom) return false;
  const auto rows = static_cast<std::size_t>(weight.shape[0]);
  RangeEncoder with, without;
  auto ranks = ranks_in(levels, palette);
  RankCoder(with, std::span(ranks), rows, palette.size()).code();
  LevelModels models;
  const LevelShape shape{.outputs = rows, .inputs = levels.size() / rows};
  LevelCoder(without, levels, shape, weight.bits, models).careful();
  return with.finish().size() + 2 + palette.size() < without.finish().size();
}

}  // namespace espalier::format
