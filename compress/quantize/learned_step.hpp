// Learned step size quantization (Esser et al. 2020, "Learned step size quantization").
#pragma once

#include <vector>

#include "core/autograd/variable.hpp"

namespace espalier::quantize {

// y = s * clamp(rint(w / s), -q, q)
//   dw = dy where |w / s| < q, else 0 (eq. 5)
//   ds = g * sum dy * (rint(w / s) - w / s where |w / s| < q, else q with w's sign) (eq. 3),
//   g = 1 / sqrt(n q), n weights a step (section 2.2).
// steps: [C], a step for each slice of w's outermost axis, or [1]. used: the steps that y is made
// with, one an output channel: the same, or coarser where sums would not fit.
Variable learned_step(const Variable& w, const Variable& steps, const std::vector<float>& used,
                      int max_level);

// The same of activations x [N ...] that are not negative, with one step [1]:
// y = s * rint(clamp(x / s, 0, q))
//   dx = dy where 0 < x / s < q, else 0 (eq. 5)
//   ds = g * sum dy * (rint(x / s) - x / s where 0 < x / s < q, 0 below, q above) (eq. 3),
//   g = 1 / sqrt(n q), n features of one example (section 2.2).
// used: the step that y is made with: the same, or rounded to fewer bits.
Variable learned_activation_step(const Variable& x, const Variable& step, float used,
                                 int max_level);

}  // namespace espalier::quantize
