// Steps of our own kernels: an integer convolution or dense layer and what may join it, in one pass
// over memory. The same integers as reference/.
#pragma once

#include <string_view>

#include "compress/runtime/stages.hpp"
#include "compress/runtime/step.hpp"

namespace espalier::runtime::sparse {

// Layers that run as one: the linear one, the max pool behind it, the batch norm behind that.
struct Fused {
  const format::PackedLayer* linear = nullptr;
  const format::PackedLayer *pool = nullptr, *norm = nullptr;
  std::size_t count() const { return 1 + (pool != nullptr) + (norm != nullptr); }
};
// The longest such row that begins with layer `first`, an integer convolution or dense layer, and of
// whose inner stages no other layer reads.
Fused fused_from(const format::PackedModel& model, std::size_t first);

// What a kernel would do, known without packing anything.
struct Work {
  std::int64_t macs = 0;   // multiplied by a run, lanes and slots without a weight included
  std::int64_t bytes = 0;  // weights as it reads them, and where windows start
  std::int64_t made = 0;   // of these bytes, what make() allocates
};

// One kernel for fused layers.
struct Kernel {
  std::string_view name;
  bool (*fits)(const format::PackedLayer& linear);
  // How much it would multiply for the input x [N H W C].
  Work (*work)(const Fused& layers, const Shape& x);
  // Errors: kUsage when the layer is too large for the kernel's offsets.
  Step (*make)(const Fused& layers, const Activation& x, const Activation& y);
  // Whether its steps read the weights where they lie in the model.
  bool in_place = false;
};

extern const Kernel kBlocks;     // blocks.hpp
extern const Kernel kScattered;  // scattered.hpp
extern const Kernel kRows;       // rows.hpp
extern const Kernel kPlanes;     // planes.hpp
extern const Kernel kDepthwise;  // depthwise.hpp

}  // namespace espalier::runtime::sparse
