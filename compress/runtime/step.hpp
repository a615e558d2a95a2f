// A layer, or several that run as one, bound to the memory that it reads and writes.
#pragma once

#include <functional>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime {

// [N H W C] of float32, or of levels on `grid`, in memory that a plan owns.
struct Activation {
  // Bytes behind the data that belong to it, too: kernels read whole registers there and multiply
  // what they find by zero.
  static constexpr std::int64_t kSlack = 128;

  void* data = nullptr;
  Shape shape;
  format::ActivationGrid grid;
  float* floats() const { return static_cast<float*>(data); }
  std::uint8_t* levels() const { return static_cast<std::uint8_t*>(data); }
  DType dtype() const { return grid.is_float() ? DType::kFloat32 : DType::kUint8; }
};

using Step = std::function<void()>;

}  // namespace espalier::runtime
