// Says when a run is too short for its schedule. The target is met at the last step whatever
// happens; what a mask of that step took away is never trained again.
#pragma once

#include <cstdint>
#include <string>

#include "compress/prune/sparsity_schedule.hpp"

namespace espalier::prune {

// Empty when the masks of every `frequency_steps` come within a hundredth of the schedule's end;
// else what will happen, and the remedy.
std::string schedule_warning(const SparsitySchedule& schedule, std::int64_t frequency_steps,
                             std::int64_t total_steps);

}  // namespace espalier::prune
