#include "compress/runtime/sparse/depthwise.hpp"

#include <algorithm>
#include <limits>

namespace espalier::runtime::sparse {
namespace {

using format::PackedLayer;

// Calls visit(first channel, line, kernel column) for every register of weights that is not all zero,
// groups one after the other, and end_group() behind each.
template <class Visit, class EndGroup>
void for_each_register(const PackedLayer& l, Visit visit, EndGroup end_group) {
  const std::int64_t channels = l.weight.shape[0], taps = l.kernel_h * l.kernel_w;
  for (std::int64_t first = 0; first < channels; first += kLanes) {
    const std::int64_t last = std::min<std::int64_t>(first + kLanes, channels);
    for (std::int64_t row = 0; row < l.kernel_h; row += kColumn)
      for (std::int64_t j = 0; j < l.kernel_w; ++j) {
        bool any = false;
        for (std::int64_t c = first; c < last && !any; ++c)
          for (std::int64_t i = row; i < std::min(row + kColumn, l.kernel_h); ++i)
            any |= l.weight.levels[static_cast<std::size_t>(c * taps + i * l.kernel_w + j)] != 0;
        if (any) visit(first, row / kColumn, j);
      }
    end_group();
  }
}

}  // namespace

ColumnLines column_lines(const PackedLayer& l, const Shape& x) {
  return {.lines = (l.kernel_h + kColumn - 1) / kColumn,
          .bytes = (l.pad_left + x[2] + l.pad_right) * x[3] * kColumn};
}

std::int64_t DepthwiseWeights::count(const PackedLayer& l) {
  std::int64_t registers = 0;
  for_each_register(
      l, [&](auto...) { ++registers; }, [] {});
  return registers;
}

DepthwiseWeights::DepthwiseWeights(const PackedLayer& l, const Shape& x) : registers_(count(l)) {
  const ColumnLines columns = column_lines(l, x);
  require(columns.lines * columns.bytes <= std::numeric_limits<std::int32_t>::max(), "Depthwise",
          "layer '", l.name, "' has ", columns.lines, " lines of ", columns.bytes,
          " bytes, which offsets of 31 bits do not reach");
  const std::int64_t channels = l.weight.shape[0], taps = l.kernel_h * l.kernel_w;
  const auto pack = [&](std::int64_t first, std::int64_t line, std::int64_t j) {
    std::int8_t* to = registers_.add(line * columns.bytes + j * x[3] * kColumn);
    const std::int64_t rows = std::min(kColumn, l.kernel_h - line * kColumn),
                       lanes = std::min<std::int64_t>(kLanes, channels - first);
    for (std::int64_t c = 0; c < lanes; ++c)
      for (std::int64_t i = 0; i < rows; ++i)
        to[c * kColumn + i] = l.weight.levels[static_cast<std::size_t>(
            (first + c) * taps + (line * kColumn + i) * l.kernel_w + j)];
  };
  for_each_register(l, pack, [&] { registers_.end_group(); });
}

void multiply_depthwise_plain(const RegisterGroup& group, const Tiles& t) {
  for (std::size_t q = 0; q < t.starts.size(); ++q) {
    std::int32_t sums[kLanes] = {};
    const std::int8_t* w = group.weights;
    for (const std::int32_t offset : group.offsets) {
      const std::uint8_t* x = t.x + t.starts[q] + offset;
      for (int c = 0; c < kLanes; ++c, w += kColumn, x += kColumn)
        sums[c] += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
    }
    finish_plain(sums, t, static_cast<std::int64_t>(q));
  }
}

DepthwiseKernel depthwise_kernel([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi) return multiply_depthwise_vnni;
  if (isa == VectorIsa::kAvx2) return multiply_depthwise_avx2;
#endif
  return multiply_depthwise_plain;
}

}  // namespace espalier::runtime::sparse
