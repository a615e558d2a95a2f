// How a patch is cut into blocks whose sums stay in vector registers, and the table of the functions
// for each size of block: what the twins of AVX2 and AVX-512 share.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "core/kernels/sparse/entries.hpp"

namespace espalier::kernels::sparse {

// Adds to one block; its last register has `last` lanes.
using AddBlock = void (*)(float* sum, const float* source, const std::int32_t* offsets,
                          const float* values, std::int64_t entries, const Patch& patch,
                          std::int64_t last);

// Isa: kLanes floats a register; kMostSums registers for sums; and add_block<Height, Wide>, for
// blocks of `Height` rows, at most kMostRows, of `Wide` registers.
template <class Isa>
class PatchBlocks {
 public:
  static void add(float* sum, const float* source, const std::int32_t* offsets, const float* values,
                  std::int64_t entries, const Patch& patch) {
    for (std::int64_t column = 0; column < patch.width;) {
      const std::int64_t left = patch.width - column;
      const std::int64_t wide =
          std::min<std::int64_t>((left + Isa::kLanes - 1) / Isa::kLanes, Isa::kMostSums);
      const std::int64_t width = std::min(left, wide * Isa::kLanes);
      const std::int64_t high = std::min<std::int64_t>(kMostRows, Isa::kMostSums / wide);
      for (std::int64_t row = 0; row < patch.rows;) {
        const std::int64_t height = std::min(high, patch.rows - row);
        kBlocks[static_cast<std::size_t>(height - 1)][static_cast<std::size_t>(wide - 1)](
            sum + row * patch.sum_stride + column, source + row * patch.source_stride + column,
            offsets, values, entries, patch, width - (wide - 1) * Isa::kLanes);
        row += height;
      }
      column += width;
    }
  }

 private:
  static constexpr int kMostRows = 5;
  template <int Height, int Wide>
  static constexpr AddBlock block() {
    if constexpr (Height * Wide <= Isa::kMostSums)
      return Isa::template add_block<Height, Wide>;
    else
      return nullptr;
  }
  template <int Height, int... I>
  static constexpr std::array<AddBlock, sizeof...(I)> blocks_of(std::integer_sequence<int, I...>) {
    return {block<Height, I + 1>()...};
  }
  template <int... I>
  static constexpr auto all_blocks(std::integer_sequence<int, I...>) {
    return std::array{blocks_of<I + 1>(std::make_integer_sequence<int, Isa::kMostSums>())...};
  }
  static constexpr auto kBlocks = all_blocks(std::make_integer_sequence<int, kMostRows>());
};

}  // namespace espalier::kernels::sparse
