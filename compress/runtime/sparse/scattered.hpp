// Single weights at any place, and the kernels that multiply them. The inputs of a window come in
// stretches of at most 128 bytes, which two AVX-512 registers hold: one vpermi2b fetches 64 of them in
// any order, one vpdpbusd multiplies them by 64 weights, 4 for each of 16 outputs. What an output has
// fewer than the others of its group is filled with zeros.
#pragma once

#include "compress/runtime/sparse/finish.hpp"
#include "compress/runtime/sparse/windows.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::sparse {

struct Stretch {
  std::int32_t offset;   // from a window's start
  std::int32_t vectors;  // of 64 slots
};
struct ScatteredGroup {
  std::span<const Stretch> stretches;
  // [vectors 2 64]: where in its stretch each slot's input is, then its weight. Slots [kLanes 4].
  const std::uint8_t* slots;
};

class Scattered {
 public:
  static constexpr std::int64_t kReach = 128;  // bytes of a stretch
  static constexpr std::int64_t kSlots = 64;   // of a vector
  static constexpr std::int64_t kEach = kSlots / kLanes;

  // How many vectors the layer takes. Allocates nothing.
  static std::int64_t count(const format::PackedLayer& layer, const WindowRows& rows);
  // Errors: kUsage when an offset leaves 31 bits.
  Scattered(const format::PackedLayer& layer, const WindowRows& rows);

  ScatteredGroup group(std::int64_t g) const;

 private:
  struct End {
    std::size_t stretches, vectors;
  };
  std::vector<Stretch> stretches_;
  std::vector<End> ends_;  // of each group's
  Tensor slots_;           // bytes
};

// All windows of the tiles, times the group's weights, finished. Reads up to 128 bytes from the
// start of a stretch on.
using ScatteredKernel = void (*)(const ScatteredGroup& group, const Tiles& tiles);
ScatteredKernel scattered_kernel(VectorIsa isa);

void multiply_scattered_plain(const ScatteredGroup& group, const Tiles& tiles);
#if defined(__x86_64__)
void multiply_scattered_vbmi(const ScatteredGroup& group, const Tiles& tiles);
#endif

}  // namespace espalier::runtime::sparse
