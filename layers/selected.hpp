// Some slices of a tensor: what is left of a layer when channels go.
#pragma once

#include <cstdint>
#include <span>

#include "layers/parameter.hpp"

namespace espalier {

// The slices `indices` along `axis` (negative: from the end), in this order. Errors: kUsage for none
// or one that is not there.
Tensor selected(const Tensor& tensor, int axis, std::span<const std::int64_t> indices);

// A new parameter of these slices. Errors: also when it has transforms.
Parameter selected(const Parameter& parameter, int axis, std::span<const std::int64_t> indices);

}  // namespace espalier
