// Weights as a step times levels: the op through which integer levels are trained.
#pragma once

#include "core/autograd/variable.hpp"

namespace espalier::rate {

struct LevelOptions {
  int max_level = 7;
  bool round = true;  // false: the latent itself, before rounding begins
};

// y = exp(log_step) * clamp(rint(u), -max_level, max_level)
//   du = step * dy: straight through the rounding; 0 where the clamp holds u and dy would push it
//   further out. dlog_step = sum(dy * y), which is exact: the step scales what was rounded. LSQ
//   (Esser et al. 2020) holds the weight instead of the level still while the step moves.
// u: latent weights in units of the step. log_step: [1].
Variable scaled_levels(const Variable& u, const Variable& log_step, LevelOptions options);

// clamp(rint(u), -max_level, max_level), half to even.
Tensor rounded_levels(const Tensor& u, int max_level);

}  // namespace espalier::rate
