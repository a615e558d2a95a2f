// Rounds: a job is run again and again until some time has passed, jobs take turns.
#pragma once

#include <vector>

#include "apps/bench/jobs.hpp"

namespace espalier::bench {

struct Round {
  double seconds = 0;      // a run: the round's wall time by its runs
  double cpu_seconds = 0;  // the same of processor time, of all threads
  std::int64_t runs = 0;
};

// At least one run, and as many as it takes to fill `seconds` (>= 0) of wall time.
Round time_round(const Job& job, double seconds);

struct RoundOptions {
  int rounds = 21;        // >= 1 of each job, after one that is not counted
  double seconds = 0.02;  // that a round fills
};

// Seconds a run, [job][round]. In each round every job has its turn, so that a machine that is busy
// for a while slows all of them.
std::vector<std::vector<double>> interleaved(const std::vector<Job>& jobs,
                                             const RoundOptions& options);

}  // namespace espalier::bench
