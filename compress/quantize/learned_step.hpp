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

}  // namespace espalier::quantize
