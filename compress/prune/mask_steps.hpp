// In which steps of a run a pruner chooses a new mask.
#pragma once

#include <cstdint>

#include "compress/prune/sparsity_schedule.hpp"
#include "optim/training/pass.hpp"

namespace espalier::prune {

// Every `frequency_steps`, where the schedule leaves 0, and in the last step if it rose since.
bool mask_is_due(const SparsitySchedule& schedule, std::int64_t frequency_steps,
                 const training::StepInfo& info);

}  // namespace espalier::prune
