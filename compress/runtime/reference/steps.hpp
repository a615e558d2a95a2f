// Each kind of layer, the plain way: the oracle of every faster executor. Levels by
// compress/INTEGERS.md; floats by the float kernels.
#pragma once

#include <functional>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::reference {

// float32 values, or uint8 levels on `grid`. [N H W C]; [N 1 1 C] after flatten and dense.
struct Activation {
  Tensor values;
  format::ActivationGrid grid;
};

// How float sums are taken (runtime::is_exact): as it is fastest, or in float64 and in order.
enum class Sums { kFast, kOrdered };

// Images of pixels / 255, through the file's input transform, on its input grid.
Activation begin(const format::PackedModel& model, const Tensor& images);

// The layer has passed runtime::stages(). A layer that computes in floats turns levels into floats
// first, and its own result into levels if it has an output grid. `other`: a residual's second
// summand, of no use to others.
Activation run_layer(const format::PackedLayer& layer, const Activation& x, const Activation& other,
                     Sums sums);

// All layers, one after the other; `seen` meets what each reads and yields. Gives the last one's.
using Seen = std::function<void(std::size_t layer, const Activation& x, const Activation& y)>;
Activation run_layers(const format::PackedModel& model, const Tensor& images,
                      const Seen& seen = {});

// What run_layer chooses from.
Activation integer_linear(const format::PackedLayer& layer, const Activation& x);  // conv2d, dense
Activation float_linear(const format::PackedLayer& layer, const Activation& x, Sums sums);
Activation integer_depthwise(const format::PackedLayer& layer, const Activation& x);
Activation float_depthwise(const format::PackedLayer& layer, const Activation& x, Sums sums);
Activation max_pool2d(const format::PackedLayer& layer, const Activation& x);
Activation average_pool2d(const format::PackedLayer& layer, const Activation& x, Sums sums);
Activation integer_batch_norm(const format::PackedLayer& layer, const Activation& x);
Activation float_batch_norm(const format::PackedLayer& layer, const Activation& x);
Activation relu(const Activation& x);
Activation flatten(const Activation& x);
Activation integer_residual(const format::PackedLayer& layer, const Activation& x,
                            const Activation& other);
Activation float_residual(const format::PackedLayer& layer, const Activation& x,
                          const Activation& other);

// What becomes of the int32 sums [N H W C] of an integer layer that took levels on `x`.
Activation scaled(const format::PackedLayer& layer, const format::ActivationGrid& x,
                  const Tensor& sums);

// real = scale * float(level - zero_point); floats stay as they are.
Activation dequantized(const Activation& x);
// level = clamp(rint(x / scale) + zero_point, 0, 127); on no grid floats stay as they are.
Activation quantized(const Activation& x, const format::ActivationGrid& grid);

}  // namespace espalier::runtime::reference
