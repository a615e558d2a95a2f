#include "compress/runtime/sparse/blocks.hpp"

#include <algorithm>

namespace espalier::runtime::sparse {
namespace {

// Calls visit(offset, channel, row, first input of the row) for every block that is not all zero,
// groups one after the other, and end_group() behind each.
template <class Visit, class EndGroup>
void for_each_block(const format::PackedLayer& l, const WindowRows& w, Visit visit,
                    EndGroup end_group) {
  const std::int64_t outputs = l.weight.shape[0], inputs = w.rows * w.length;
  for (std::int64_t first = 0; first < outputs; first += kLanes) {
    const std::int64_t last = std::min<std::int64_t>(first + kLanes, outputs);
    for (std::int64_t row = 0; row < w.rows; ++row)
      for (std::int64_t i = 0; i < w.length; i += Blocks::kInputs) {
        const std::int64_t width = std::min(Blocks::kInputs, w.length - i);
        bool any = false;
        for (std::int64_t o = first; o < last && !any; ++o) {
          const std::int8_t* from = l.weight.levels.data() + o * inputs + row * w.length + i;
          any = std::any_of(from, from + width, [](std::int8_t level) { return level != 0; });
        }
        if (any) visit(first, row, i, width);
      }
    end_group();
  }
}

}  // namespace

std::int64_t Blocks::count(const format::PackedLayer& l, const WindowRows& w) {
  std::int64_t blocks = 0;
  for_each_block(
      l, w, [&](auto...) { ++blocks; }, [] {});
  return blocks;
}

Blocks::Blocks(const format::PackedLayer& l, const WindowRows& w) : registers_(count(l, w)) {
  check_reach(l, w, "Blocks");
  const std::int64_t inputs = w.rows * w.length;
  const auto pack = [&](std::int64_t first, std::int64_t row, std::int64_t i, std::int64_t width) {
    std::int8_t* to = registers_.add(row * w.stride + i);
    const std::int64_t lanes = std::min<std::int64_t>(kLanes, l.weight.shape[0] - first);
    for (std::int64_t o = 0; o < lanes; ++o)
      std::copy_n(l.weight.levels.data() + (first + o) * inputs + row * w.length + i, width,
                  to + o * kInputs);
  };
  for_each_block(l, w, pack, [&] { registers_.end_group(); });
}

void multiply_blocks_plain(const RegisterGroup& group, const Tiles& t) {
  std::int32_t largest[kLanes], sums[kLanes];
  for (std::size_t p = 0; p < t.starts.size(); ++p) {
    const std::uint8_t* window = t.x + t.starts[p];
    const std::int8_t* w = group.weights;
    std::fill_n(sums, kLanes, 0);
    for (const std::int32_t offset : group.offsets) {
      const std::uint8_t* x = window + offset;
      for (int o = 0; o < kLanes; ++o, w += Blocks::kInputs)
        sums[o] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
    }
    const std::size_t pool = static_cast<std::size_t>(t.pool);
    for (int o = 0; o < kLanes; ++o)
      largest[o] = p % pool ? std::max(largest[o], sums[o]) : sums[o];
    if (p % pool == pool - 1) finish_plain(largest, t, static_cast<std::int64_t>(p / pool));
  }
}

BlockKernel block_kernel([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi) return multiply_blocks_vnni;
  if (isa == VectorIsa::kAvx2) return multiply_blocks_avx2;
#endif
  return multiply_blocks_plain;
}

}  // namespace espalier::runtime::sparse
