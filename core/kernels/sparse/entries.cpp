#include "core/kernels/sparse/entries.hpp"

#include "core/onednn/isa.hpp"

namespace espalier::kernels::sparse {
namespace {

void add(float* sum, const float* source, const std::int32_t* offsets, const float* values,
         std::int64_t entries, const Patch& patch) {
  for (std::int64_t e = 0; e < entries; ++e)
    for (std::int64_t i = 0; i < patch.rows; ++i)
      for (std::int64_t j = 0; j < patch.width; ++j)
        sum[i * patch.sum_stride + j] +=
            values[e] * source[offsets[e] + i * patch.source_stride + j];
}

void find(const float* row, std::int64_t n, std::int32_t scale, std::int32_t shift, Entries& to) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (row[i] == 0) continue;
    const auto at = static_cast<std::size_t>(to.size++);
    to.offsets[at] = static_cast<std::int32_t>(i) * scale + shift;
    to.values[at] = row[i];
  }
}

}  // namespace

const EntryLoops kPlainLoops{add, find};

const EntryLoops& entry_loops() {
#if defined(__x86_64__)
  static const EntryLoops& chosen = [&]() -> const EntryLoops& {
    const VectorIsa isa = vector_isa();
    if (isa >= VectorIsa::kVnni) return kAvx512Loops;
    if (isa >= VectorIsa::kAvx2 && __builtin_cpu_supports("fma")) return kAvx2Loops;
    return kPlainLoops;
  }();
  return chosen;
#else
  return kPlainLoops;
#endif
}

}  // namespace espalier::kernels::sparse
