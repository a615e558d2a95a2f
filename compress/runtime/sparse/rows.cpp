#include "compress/runtime/sparse/rows.hpp"

#include <algorithm>

namespace espalier::runtime::sparse {

RowGroup Rows::group(std::int64_t g) const {
  const auto& w = layer_->weight;
  const std::int64_t first = g * kLanes;
  return {.weights = w.levels.data() + first * w.shape[1],
          .outputs = std::min<std::int64_t>(kLanes, w.shape[0] - first),
          .inputs = w.shape[1]};
}

void multiply_rows_plain(const RowGroup& group, const Tiles& t) {
  for (std::size_t n = 0; n < t.starts.size(); ++n) {
    const std::uint8_t* x = t.x + t.starts[n];
    std::int32_t sums[kLanes] = {};
    for (std::int64_t o = 0; o < group.outputs; ++o)
      for (std::int64_t i = 0; i < group.inputs; ++i)
        sums[o] += x[i] * group.weights[o * group.inputs + i];
    finish_plain(sums, t, static_cast<std::int64_t>(n));
  }
}

RowKernel row_kernel([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi) return multiply_rows_vnni;
  if (isa == VectorIsa::kAvx2) return multiply_rows_avx2;
#endif
  return multiply_rows_plain;
}

}  // namespace espalier::runtime::sparse
