// The steps of a plan that oneDNN runs: each function makes the step of one layer, bound to its input x and output
// y, which stay where they are. Integers by compress/INTEGERS.md, as reference/ computes them.
// Errors, when a step is made: kInternal, should oneDNN have no primitive for it.
#pragma once

#include "compress/runtime/linear_parts.hpp"
#include "compress/runtime/stages.hpp"
#include "compress/runtime/step.hpp"

namespace espalier::runtime::onednn {

// What steps need in passing and share.
struct Workspace {
  Tensor sums;    // int32, of the largest integer layer
  Tensor padded;  // levels, of the largest padded input
};

// Whether the levels x need a copy padded with their zero point: oneDNN pads with 0.
bool pads_by_copy(const format::PackedLayer& layer, const format::ActivationGrid& x);

Step integer_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y,
                    Workspace& workspace);
Step float_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step pool2d(const format::PackedLayer& layer, const Activation& x, const Activation& y);

}  // namespace espalier::runtime::onednn
