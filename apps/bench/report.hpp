// What a run of suites says: a table, a file of JSON, and what became slower since such a file.
#pragma once

#include <string>
#include <vector>

#include "apps/bench/machine.hpp"
#include "apps/bench/rounds.hpp"
#include "apps/bench/suites.hpp"

namespace espalier::bench {

struct Report {
  Machine machine;
  int threads = 1;
  RoundOptions rounds;
  std::vector<Result> results;
};

std::string table(const Report& report);
std::string to_json(const Report& report);

struct Regression {
  std::string name;
  double us = 0, former_us = 0;  // medians
};

// The results whose median is over `tolerance` (0.1: a tenth) above the saved one of the same name,
// and further from it than three times the two MADs together: noise alone does not count. `saved`
// is what to_json() gave; `file` names it in errors. Results without a saved one are new, and no
// regression. Errors: kCorrupt for another text; kUsage for a run of other threads.
std::vector<Regression> regressions(const Report& report, const std::string& saved,
                                    const std::string& file, double tolerance);

}  // namespace espalier::bench
