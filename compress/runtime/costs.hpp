// What running a packed model costs, computed from its shapes alone.
#pragma once

#include <array>
#include <cstdint>

#include "compress/format/packed_model.hpp"

namespace espalier::runtime {

// The multiply-adds of one image [H W C] = `input` in this layer, as if no weight were zero and
// padding were multiplied too: outputs * inputs of each output. Layers without weights: 0.
std::int64_t macs(const format::PackedLayer& layer, const std::array<std::int64_t, 3>& input);

// The largest sum of simultaneously live activations of one image: a layer's input and its output,
// 1 byte a level and 4 bytes a float. Relu, flatten and batch norm that keeps to either work in
// place. The image itself
// counts once, on the model's input grid. Weights and an executor's scratch space (int32 sums,
// padded copies) are not activations.
std::int64_t peak_activation_bytes(const format::PackedModel& model);

}  // namespace espalier::runtime
