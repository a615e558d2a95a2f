// Each kind of layer, the plain way: the oracle of every faster executor. Levels by
// compress/INTEGERS.md; floats by the float kernels.
#pragma once

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::reference {

// float32 values, or uint8 levels on `grid`. [N H W C]; [N 1 1 C] after flatten and dense.
struct Activation {
  Tensor values;
  format::ActivationGrid grid;
};

// Images of pixels / 255, through the file's input transform, on its input grid.
Activation begin(const format::PackedModel& model, const Tensor& images);

// The layer has passed runtime::stages().
Activation run_layer(const format::PackedLayer& layer, const Activation& x);

// What run_layer chooses from.
Activation linear(const format::PackedLayer& layer, const Activation& x);  // conv2d, dense
Activation max_pool2d(const format::PackedLayer& layer, const Activation& x);
Activation average_pool2d(const format::PackedLayer& layer, const Activation& x);
Activation batch_norm(const format::PackedLayer& layer, const Activation& x);
Activation relu(const Activation& x);
Activation flatten(const Activation& x);

}  // namespace espalier::runtime::reference
