// Resizing with one filter for both directions.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

// float32 [H W C] to [height width C]. The filter is a triangle (bilinear), one pixel wide to each
// side when the image grows and widened by the factor when it shrinks, so that every input pixel
// counts (as Pillow's BILINEAR; no aliasing). Its weights sum to 1: a constant image stays so, and
// no value leaves the input's range. The same size gives the same values.
// Errors: kUsage when there are not three axes, or a size is below 1.
Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width);

// The same of uint8 [H W C], each value rounded to the nearest (ties to even).
Tensor resize_bytes(const Tensor& image, std::int64_t height, std::int64_t width);

}  // namespace espalier::datasets
