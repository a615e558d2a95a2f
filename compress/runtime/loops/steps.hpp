// The steps of a plan that are plain loops, of which oneDNN never hears: each function makes the step
// of one layer, bound to its input x and output y, which stay where they are. Integers by
// compress/INTEGERS.md, as reference/ computes them.
#pragma once

#include "compress/runtime/stages.hpp"
#include "compress/runtime/step.hpp"

namespace espalier::runtime::loops {

Step average_pool2d_levels(const format::PackedLayer& layer, const Activation& x,
                           const Activation& y);
// Of models that have levels (runtime::is_exact); x and y may be floats or levels.
Step ordered_linear(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step ordered_average_pool2d(const format::PackedLayer& layer, const Activation& x,
                            const Activation& y);  // floats
Step crossing_batch_norm(const format::PackedLayer& layer, const Activation& x,
                         const Activation& y);  // one of them floats, the other levels
// Of levels on the three grids, and of all other kinds. x and y may share their memory.
Step residual_levels(const format::PackedLayer& layer, const Activation& x, const Activation& other,
                     const Activation& y);
Step residual(const format::PackedLayer& layer, const Activation& x, const Activation& other,
              const Activation& y);
// These work in place: x and y share their memory.
Step batch_norm(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step batch_norm_levels(const format::PackedLayer& layer, const Activation& x, const Activation& y);
Step relu(const Activation& x);
Step relu_levels(const Activation& x);

}  // namespace espalier::runtime::loops
