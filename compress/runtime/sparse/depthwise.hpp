// Depthwise convolution. Four rows of the image, byte by byte side by side, make a line of columns:
// four levels of a channel, one below the other, are 32 bits, and one vpdpbusd multiplies 16 channels'
// columns by the weights of those four rows. A window is then a few registers of the line, from
// another start for each output of a row.
#pragma once

#include "compress/runtime/sparse/finish.hpp"
#include "compress/runtime/sparse/registers.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::sparse {

inline constexpr std::int64_t kColumn = 4;  // rows side by side, bytes of a column

// The columns under one row of outputs: `lines` lines of `bytes` each, the first for the kernel's rows
// 0 to 3, and so on.
struct ColumnLines {
  std::int64_t lines = 0, bytes = 0;
};
ColumnLines column_lines(const format::PackedLayer& layer, const Shape& x);

class DepthwiseWeights {
 public:
  static constexpr std::int64_t kBytes = Registers::kBytes;

  // Registers that are not all zero. Allocates nothing.
  static std::int64_t count(const format::PackedLayer& layer);
  // Errors: kUsage when an offset leaves 31 bits.
  DepthwiseWeights(const format::PackedLayer& layer, const Shape& x);

  RegisterGroup group(std::int64_t g) const { return registers_.group(g); }

 private:
  Registers registers_;
};

// All windows of the tiles, where x are the group's columns, times its weights, finished. Reads whole
// registers: up to 60 bytes behind the last column.
using DepthwiseKernel = void (*)(const RegisterGroup& group, const Tiles& tiles);
DepthwiseKernel depthwise_kernel(VectorIsa isa);

void multiply_depthwise_plain(const RegisterGroup& group, const Tiles& tiles);
#if defined(__x86_64__)
void multiply_depthwise_avx2(const RegisterGroup& group, const Tiles& tiles);
void multiply_depthwise_vnni(const RegisterGroup& group, const Tiles& tiles);
#endif

}  // namespace espalier::runtime::sparse
