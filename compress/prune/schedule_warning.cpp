#include "compress/prune/schedule_warning.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "optim/training/pass.hpp"

namespace espalier::prune {

std::string schedule_warning(const SparsitySchedule& schedule, std::int64_t frequency_steps,
                             std::int64_t total_steps) {
  if (total_steps < 2) return "";  // at once, as prune_now does it
  const auto at = [&](std::int64_t step) {
    return schedule(training::StepInfo{step, total_steps}.progress());
  };
  const std::int64_t last = total_steps - 1, regular = last - last % frequency_steps;
  // The step in which the schedule begins has a mask of its own.
  std::int64_t begin = regular + 1;
  while (begin <= last && at(begin) == 0) ++begin;
  const float reached =
      regular < last && at(regular) == 0 && begin < last ? at(begin) : at(regular);
  constexpr float kClose = 0.01f;
  if (regular == last || at(last) - reached <= kClose) return "";
  return "the run has " + with_commas(total_steps) + " steps, and a mask each " +
         with_commas(frequency_steps) + ": they come to a sparsity of " +
         percent(double{reached}, 1) + ", the last step makes it " + percent(double{at(last)}, 1) +
         " and nothing is trained after it; lower frequency_steps, end the schedule earlier, or "
         "train longer";
}

}  // namespace espalier::prune
