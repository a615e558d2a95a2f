#include "compress/prune/mask_steps.hpp"

namespace espalier::prune {

bool mask_is_due(const SparsitySchedule& schedule, std::int64_t frequency_steps,
                 const training::StepInfo& info) {
  const auto wanted_at = [&](std::int64_t step) {
    return schedule(training::StepInfo{step, info.total_steps}.progress());
  };
  if (info.step % frequency_steps == 0) return true;
  const float wanted = wanted_at(info.step);
  const bool begins = wanted > 0 && wanted_at(info.step - 1) == 0;
  const std::int64_t before = info.step - info.step % frequency_steps;
  return begins || (info.last() && wanted != wanted_at(before));
}

}  // namespace espalier::prune
