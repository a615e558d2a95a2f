// Each kind of layer, the plain way: the oracle of every faster executor.
#pragma once

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::reference {

// float32 values, or uint8 levels on `grid`.
struct Activation {
  Tensor values;
  format::ActivationGrid grid;
};

// Errors: kUsage for a layer whose weights are levels while its input is float, or the reverse, and
// for a kind that has no integer form (average pooling and batch norm between levels).
Activation run_layer(const format::PackedLayer& layer, const Activation& x);

}  // namespace espalier::runtime::reference
