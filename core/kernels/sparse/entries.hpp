// What every sparse kernel of this folder does: skip zeros, and for each number that is left add a
// multiple of a dense patch. Plain loops, and twins for AVX2 and AVX-512; which one runs,
// vector_isa() decides. Sums are taken entry by entry in the order of the list.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace espalier::kernels::sparse {

// Numbers that are not 0, and how far the patch that each is multiplied with lies from the source's
// start, in floats. The first `size` of both arrays count. Kernels keep theirs from call to call.
struct Entries {
  std::vector<std::int32_t> offsets;
  std::vector<float> values;
  std::int64_t size = 0;

  // Room for `n` entries, and for what vector stores write behind the last.
  void reserve(std::int64_t n) {
    const std::size_t room = std::max(offsets.size(), static_cast<std::size_t>(n) + 16);
    offsets.resize(room), values.resize(room);
  }
};

// `rows` rows of `width` floats, `sum_stride` and `source_stride` floats apart.
struct Patch {
  std::int64_t rows, width, sum_stride, source_stride;
};

// The two loops over entries.
struct EntryLoops {
  // sum[i, j] += values[e] * source[offsets[e] + i, j] for each entry.
  void (*add)(float* sum, const float* source, const std::int32_t* offsets, const float* values,
              std::int64_t entries, const Patch& patch);
  // Appends the numbers of row[0, n) that are not 0, NaN included, with offsets of
  // index * scale + shift.
  void (*find)(const float* row, std::int64_t n, std::int32_t scale, std::int32_t shift,
               Entries& to);
};

extern const EntryLoops kPlainLoops;
#if defined(__x86_64__)
extern const EntryLoops kAvx2Loops;  // needs FMA
extern const EntryLoops kAvx512Loops;
#endif

const EntryLoops& entry_loops();  // for this processor, within oneDNN's cap

}  // namespace espalier::kernels::sparse
