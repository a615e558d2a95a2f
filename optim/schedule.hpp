// The learning rate as a fraction of its peak: a pure function of progress (0 = first step, 1 =
// last).
#pragma once

#include <functional>

namespace espalier::optim {

using Schedule = std::function<float(float progress)>;

Schedule constant();
// (1 + cos(pi progress)) / 2: 1 falls to 0 (Loshchilov & Hutter 2017, one cycle).
Schedule cosine();
// 1, a tenth from half of the run on, a hundredth from three quarters on (as He et al. 2016 train
// residual networks).
Schedule step();
// Rises linearly from 0 during the first `fraction` of the run, then follows `then` over what is
// left. Errors: fraction outside of [0, 1).
Schedule warm_up(float fraction, Schedule then);

}  // namespace espalier::optim
