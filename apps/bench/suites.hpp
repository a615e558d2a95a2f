// The suites of espalier-bench, each a list of jobs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/bench/jobs.hpp"
#include "apps/bench/statistics.hpp"

namespace espalier::bench {

struct SuiteOptions {
  std::vector<std::string> models = {};    // of models.hpp; none: all of them
  std::vector<std::int64_t> batches = {};  // none: the suite's own
  int threads = 1;
  std::vector<int> parts = {1};  // of training's batches, each in turn
};

struct Suite {
  std::string name, description;
  std::vector<Job> (*jobs)(const SuiteOptions& options);
};

// train, infer, sparse, load, codec, peak.
const std::vector<Suite>& suites();

// Dense, and with zeros that our kernels can skip.
std::vector<Job> sparse_jobs(const std::string& model, format::PackedModel dense,
                             const JobOptions& options);

struct Result {
  std::string suite, model, variant;
  std::int64_t batch = 1;
  Statistics us;  // microseconds a run
  double items_per_second = 0;
  std::string unit;
  std::string name() const;  // "infer large int8, batch 1"
};

Result result_of(const Job& job, const std::vector<double>& seconds);

}  // namespace espalier::bench
