// Weights as blocks of 16 outputs x 4 inputs, blocks of zeros left out, and the kernels that multiply
// them: a few channels' first convolution, block-sparse layers, small dense ones. A block is one
// register of vpdpbusd: 4 bytes of the input, the same for 16 outputs.
#pragma once

#include "compress/runtime/sparse/finish.hpp"
#include "compress/runtime/sparse/registers.hpp"
#include "compress/runtime/sparse/windows.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::sparse {

class Blocks {
 public:
  static constexpr std::int64_t kInputs = 4, kBytes = Registers::kBytes;

  // How many blocks are not all zero. Allocates nothing: what to do with hostile files is decided
  // before they are packed.
  static std::int64_t count(const format::PackedLayer& layer, const WindowRows& rows);
  // Errors: kUsage when an offset leaves 31 bits.
  Blocks(const format::PackedLayer& layer, const WindowRows& rows);

  RegisterGroup group(std::int64_t g) const { return registers_.group(g); }

 private:
  Registers registers_;
};

// All windows of the tiles, times the group's weights, finished. Reads up to 3 bytes behind a window.
using BlockKernel = void (*)(const RegisterGroup& group, const Tiles& tiles);
BlockKernel block_kernel(VectorIsa isa);

void multiply_blocks_plain(const RegisterGroup& group, const Tiles& tiles);
#if defined(__x86_64__)
void multiply_blocks_avx2(const RegisterGroup& group, const Tiles& tiles);
void multiply_blocks_vnni(const RegisterGroup& group, const Tiles& tiles);
#endif

}  // namespace espalier::runtime::sparse
