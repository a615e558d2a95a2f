// Depthwise convolution. Four rows of the image, byte by byte side by side, make a line of columns:
// four levels of a channel, one below the other, are 32 bits, and one vpdpbusd multiplies 16 channels'
// columns by the weights of those four rows. A window is then a few registers of the line, from
// another start for each output of a row.
#pragma once

#include "compress/runtime/sparse/finish.hpp"
#include "core/onednn/isa.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::sparse {

inline constexpr std::int64_t kColumn = 4;  // rows side by side, bytes of a column

// The columns under one row of outputs: `lines` lines of `bytes` each, the first for the kernel's rows
// 0 to 3, and so on.
struct ColumnLines {
  std::int64_t lines = 0, bytes = 0;
};
ColumnLines column_lines(const format::PackedLayer& layer, const Shape& x);

struct DepthwiseGroup {
  std::span<const std::int32_t> offsets;  // of each register of columns, from a window's start
  const std::int8_t* weights;             // [registers kLanes kColumn]
};

class DepthwiseWeights {
 public:
  static constexpr std::int64_t kBytes = kLanes * kColumn;

  // Registers that are not all zero. Allocates nothing.
  static std::int64_t count(const format::PackedLayer& layer);
  // Errors: kUsage when an offset leaves 31 bits.
  DepthwiseWeights(const format::PackedLayer& layer, const Shape& x);

  DepthwiseGroup group(std::int64_t g) const;

 private:
  std::vector<std::int32_t> offsets_;
  std::vector<std::size_t> ends_;  // of each group's registers
  Tensor weights_;                 // int8
};

// All windows of the tiles, where x are the group's columns, times its weights, finished. Reads whole
// registers: up to 60 bytes behind the last column.
using DepthwiseKernel = void (*)(const DepthwiseGroup& group, const Tiles& tiles);
DepthwiseKernel depthwise_kernel(VectorIsa isa);

void multiply_depthwise_plain(const DepthwiseGroup& group, const Tiles& tiles);
#if defined(__x86_64__)
void multiply_depthwise_avx2(const DepthwiseGroup& group, const Tiles& tiles);
void multiply_depthwise_vnni(const DepthwiseGroup& group, const Tiles& tiles);
#endif

}  // namespace espalier::runtime::sparse
