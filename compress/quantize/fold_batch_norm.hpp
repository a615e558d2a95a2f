// Batch norm directly after a convolution (depthwise or not) or dense layer disappears into it:
//   gamma (w x + b - mean) / d + beta = (gamma / d) w x + (gamma / d) (b - mean) + beta,
// d = sqrt(variance + epsilon) (Jacob et al. 2018, section 3.2, with statistics that stay as they
// are).
#pragma once

#include "layers/sequential.hpp"

namespace espalier::quantize {

// Folds every such batch norm and takes it out of the model: what evaluation computes changes by
// float rounding alone. Every other batch norm stays, with frozen statistics. Zero weights stay
// zero. Call it before an optimizer binds the parameters. Errors: none of its own.
void fold_batch_norm(Sequential& model);

}  // namespace espalier::quantize
