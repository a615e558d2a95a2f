#include "compress/runtime/sparse/scattered.hpp"

#include <algorithm>

namespace espalier::runtime::sparse {
namespace {

// A stretch of one group: the weights of outputs first..last, rows `inputs` apart.
struct Piece {
  const std::int8_t* weights;
  std::int64_t outputs, inputs, length, offset;
  // Vectors for the output with the most weights.
  std::int64_t vectors() const {
    std::int64_t most = 0;
    for (std::int64_t o = 0; o < outputs; ++o)
      most = std::max<std::int64_t>(
          most, length - std::count(weights + o * inputs, weights + o * inputs + length, 0));
    return (most + Scattered::kEach - 1) / Scattered::kEach;
  }
};

// Calls visit(piece) for every stretch that is not all zero, groups one after the other, and
// end_group() behind each. Rows are cut into stretches of equal length.
template <class Visit, class EndGroup>
void for_each_piece(const format::PackedLayer& l, const WindowRows& w, Visit visit,
                    EndGroup end_group) {
  const std::int64_t outputs = l.weight.shape[0], inputs = w.rows * w.length;
  const std::int64_t cuts = (w.length + Scattered::kReach - 1) / Scattered::kReach;
  for (std::int64_t first = 0; first < outputs; first += kLanes) {
    for (std::int64_t row = 0; row < w.rows; ++row)
      for (std::int64_t cut = 0; cut < cuts; ++cut) {
        const std::int64_t begin = w.length * cut / cuts, end = w.length * (cut + 1) / cuts;
        visit(Piece{.weights = l.weight.levels.data() + first * inputs + row * w.length + begin,
                    .outputs = std::min<std::int64_t>(kLanes, outputs - first),
                    .inputs = inputs,
                    .length = end - begin,
                    .offset = row * w.stride + begin});
      }
    end_group();
  }
}

}  // namespace

std::int64_t Scattered::count(const format::PackedLayer& l, const WindowRows& w) {
  std::int64_t vectors = 0;
  for_each_piece(
      l, w, [&](const Piece& piece) { vectors += piece.vectors(); }, [] {});
  return vectors;
}

Scattered::Scattered(const format::PackedLayer& l, const WindowRows& w)
    : slots_({count(l, w) * 2 * kSlots}, DType::kUint8) {
  check_reach(l, w, "Scattered");
  std::uint8_t* to = slots_.mutable_data<std::uint8_t>();
  std::size_t total = 0;
  const auto pack = [&](const Piece& piece) {
    const std::int64_t vectors = piece.vectors();
    if (vectors == 0) return;
    stretches_.push_back(
        {static_cast<std::int32_t>(piece.offset), static_cast<std::int32_t>(vectors)});
    for (std::int64_t o = 0; o < piece.outputs; ++o) {
      std::int64_t slot = 0;  // of this output, counted through the vectors
      for (std::int64_t i = 0; i < piece.length; ++i) {
        const std::int8_t level = piece.weights[o * piece.inputs + i];
        if (level == 0) continue;
        std::uint8_t* at = to + slot / kEach * 2 * kSlots + o * kEach + slot % kEach;
        at[0] = static_cast<std::uint8_t>(i);
        at[kSlots] = static_cast<std::uint8_t>(level);
        ++slot;
      }
    }
    to += vectors * 2 * kSlots;
    total += static_cast<std::size_t>(vectors);
  };
  for_each_piece(l, w, pack, [&] { ends_.push_back({stretches_.size(), total}); });
}

ScatteredGroup Scattered::group(std::int64_t g) const {
  const auto i = static_cast<std::size_t>(g);
  const End begin = i ? ends_[i - 1] : End{0, 0};
  return {std::span(stretches_).subspan(begin.stretches, ends_[i].stretches - begin.stretches),
          slots_.data<std::uint8_t>() + begin.vectors * 2 * kSlots};
}

void multiply_scattered_plain(const ScatteredGroup& group, const Tiles& t) {
  std::int32_t largest[kLanes], sums[kLanes];
  const auto pool = static_cast<std::size_t>(t.pool);
  for (std::size_t p = 0; p < t.starts.size(); ++p) {
    std::fill_n(sums, kLanes, 0);
    const std::uint8_t* slots = group.slots;
    for (const Stretch& stretch : group.stretches) {
      const std::uint8_t* x = t.x + t.starts[p] + stretch.offset;
      for (std::int32_t v = 0; v < stretch.vectors; ++v, slots += 2 * Scattered::kSlots)
        for (int s = 0; s < Scattered::kSlots; ++s)
          sums[s / Scattered::kEach] +=
              x[slots[s]] * static_cast<std::int8_t>(slots[s + Scattered::kSlots]);
    }
    for (int o = 0; o < kLanes; ++o)
      largest[o] = p % pool ? std::max(largest[o], sums[o]) : sums[o];
    if (p % pool == pool - 1) finish_plain(largest, t, static_cast<std::int64_t>(p / pool));
  }
}

ScatteredKernel scattered_kernel([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa == VectorIsa::kVbmi) return multiply_scattered_vbmi;
#endif
  return multiply_scattered_plain;
}

}  // namespace espalier::runtime::sparse
