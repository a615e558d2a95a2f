// The weights of a dense layer as they lie in the model, [OUT IN], and the kernels that multiply them:
// nothing is packed, so that the largest layer of most networks is held once. One register holds 64
// inputs of one output.
#pragma once

#include "compress/runtime/sparse/finish.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::sparse {

struct RowGroup {
  const std::int8_t* weights;  // [outputs inputs]
  std::int64_t outputs;        // 1 to kLanes
  std::int64_t inputs;
};

class Rows {
 public:
  // Keeps a pointer to the layer.
  explicit Rows(const format::PackedLayer& layer) : layer_(&layer) {}

  RowGroup group(std::int64_t g) const;

 private:
  const format::PackedLayer* layer_;
};

// All images of the tiles, times the group's weights, finished. Reads no weight behind the last, and
// up to 63 bytes behind an image.
using RowKernel = void (*)(const RowGroup& group, const Tiles& tiles);
RowKernel row_kernel(VectorIsa isa);

void multiply_rows_plain(const RowGroup& group, const Tiles& tiles);
#if defined(__x86_64__)
void multiply_rows_avx2(const RowGroup& group, const Tiles& tiles);
void multiply_rows_vnni(const RowGroup& group, const Tiles& tiles);
#endif

}  // namespace espalier::runtime::sparse
