#include "apps/bench/rounds.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "core/base/error.hpp"
#include "core/base/interrupt.hpp"

namespace espalier::bench {

Round time_round(const Job& job, double seconds) {
  using Clock = std::chrono::steady_clock;
  require(seconds >= 0, "bench", "a round fills 0 seconds or more, got ", seconds);
  const auto start = Clock::now();
  const std::clock_t cpu_start = std::clock();
  std::int64_t runs = 0;
  double passed = 0;
  // The clock is looked at rarely: after as many runs again as there were, at most.
  for (std::int64_t wanted = 1; passed < seconds || runs == 0;) {
    for (; runs < wanted; ++runs) job.run();
    passed = std::chrono::duration<double>(Clock::now() - start).count();
    const double more = passed > 0 ? (seconds - passed) / passed : 1;
    wanted =
        runs + std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(runs) *
                                                                   std::clamp(more, 0.0, 1.0)));
  }
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto n = static_cast<double>(runs);
  return {.seconds = passed / n, .cpu_seconds = cpu / n, .runs = runs};
}

std::vector<std::vector<double>> interleaved(const std::vector<Job>& jobs,
                                             const RoundOptions& options) {
  require(options.rounds >= 1, "bench", "wants at least one round, got ", options.rounds);
  std::vector<std::vector<double>> seconds(jobs.size());
  for (int round = -1; round < options.rounds; ++round)
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      check_interrupt("bench");
      const Round timed = time_round(jobs[i], options.seconds);
      if (round >= 0) seconds[i].push_back(timed.seconds);
    }
  return seconds;
}

}  // namespace espalier::bench
