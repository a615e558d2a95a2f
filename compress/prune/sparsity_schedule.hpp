// How sparse a tensor should be at a point of the run. Sparsity is the fraction of zeros.
// Schedules are pure functions of progress (0 = first step, 1 = last step): easy to plot and to
// test.
#pragma once

#include <functional>

namespace espalier::prune {

using SparsitySchedule = std::function<float(float progress)>;

// `sparsity` from `begin` on, 0 before. Errors: sparsity not in [0, 1), begin not in [0, 1].
SparsitySchedule constant_sparsity(float sparsity, float begin = 0);

// Zhu & Gupta 2017, eq. 1: s = s_f + (s_i - s_f) (1 - (t - t_0) / (t_n - t_0))^power, for t in
// [begin, end]; 0 before begin, s_f after end.
struct PolynomialOptions {
  float initial = 0.0f;  // sparsity at begin, [0, 1)
  float final = 0.8f;    // sparsity from end on, [initial, 1)
  float begin = 0.0f;    // progress at which pruning begins, [0, end)
  float end = 1.0f;      // progress at which the final sparsity is reached, (begin, 1]
  float power = 3.0f;    // above 0; 3 prunes fast at first, when most weights are redundant
};
SparsitySchedule polynomial_sparsity(PolynomialOptions options);

}  // namespace espalier::prune
