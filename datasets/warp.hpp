// An image seen through a linear map about its centre.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

// Where an output pixel, dx right of and dy below the centre, looks in the input, from its centre:
// x = xx dx + xy dy, y = yx dx + yy dy.
struct LinearMap {
  float xx = 1, xy = 0, yx = 0, yy = 1;
};

// Bilinear; outside of the image lie zeros. image: float32 [H W C]; the identity gives the same bits.
Tensor warped(const Tensor& image, const LinearMap& map);

}  // namespace espalier::datasets
