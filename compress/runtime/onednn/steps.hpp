// The steps of a plan: each function makes the step of one layer, bound to its input x and output
// y, which stay where they are. Integers by compress/INTEGERS.md, as reference/ computes them.
// Errors, when a step is made: kInternal, should oneDNN have no primitive for it.
#pragma once

#include <functional>

#include "compress/format/packed_model.hpp"
#include "compress/runtime/stages.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::onednn {

// [N H W C] of float32, or of levels on `grid`, in memory that a plan owns.
struct Activation {
  void* data = nullptr;
  Shape shape;
  format::ActivationGrid grid;
  float* floats() const { return static_cast<float*>(data); }
  std::uint8_t* levels() const { return static_cast<std::uint8_t*>(data); }
  DType dtype() const { return grid.is_float() ? DType::kFloat32 : DType::kUint8; }
};

// What steps need in passing and share.
struct Workspace {
  Tensor sums;    // int32, of the largest integer layer
  Tensor padded;  // levels, of the largest padded input
};

using Step = std::function<void()>;

// Whether the levels x need a copy padded with their zero point: oneDNN pads with 0.
bool pads_by_copy(const format::PackedLayer& layer, const format::ActivationGrid& x);
Shape padded_shape(const format::PackedLayer& layer, std::int64_t batch,
                   const std::array<std::int64_t, 3>& input);

Step integer_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y,
                    Workspace& workspace);
Step float_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step pool2d(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step average_pool2d_levels(const format::PackedLayer& layer, const Activation& x,
                           const Activation& y);
// Of models that have levels (runtime::is_exact); x and y may be floats or levels.
Step ordered_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step ordered_average_pool2d(const format::PackedLayer& layer, const Activation& x,
                            const Activation& y);  // floats
Step crossing_batch_norm(const format::PackedLayer& layer, const Activation& x,
                         const Activation& y);  // one of them floats, the other levels
// These work in place: x and y share their memory.
Step batch_norm(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step batch_norm_levels(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step relu(const Activation& x);
Step relu_levels(const Activation& x);

}  // namespace espalier::runtime::onednn
