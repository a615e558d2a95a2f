// Images with the border that a convolution wants.
#pragma once

#include <cstring>

#include "compress/runtime/linear_parts.hpp"
#include "compress/runtime/step.hpp"

namespace espalier::runtime::sparse {

inline Tensor filled(std::int64_t bytes, std::int32_t level) {
  Tensor t({bytes + Activation::kSlack}, DType::kUint8);
  std::memset(t.mutable_data<std::uint8_t>(), level, static_cast<std::size_t>(t.elements()));
  return t;
}

// The border is written once.
class Padded {
 public:
  Padded(const format::PackedLayer& layer, const Activation& x)
      : layer_(&layer),
        x_(x),
        shape_(padded_shape(layer, x.shape[0], {x.shape[1], x.shape[2], x.shape[3]})),
        border_(pads(layer) ? filled(shape_.elements(), x.grid.zero_point) : Tensor()),
        images_(pads(layer) ? border_.mutable_data<std::uint8_t>() : x.levels()) {}

  // As they are now, with their border.
  const std::uint8_t* images() const {
    if (border_.defined()) copy_inside(x_.levels(), x_.shape, *layer_, images_, shape_);
    return images_;
  }

 private:
  const format::PackedLayer* layer_;
  Activation x_;
  Shape shape_;
  Tensor border_;
  std::uint8_t* images_;
};

}  // namespace espalier::runtime::sparse
