// What is measured of a model, and medians over seeds.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/toolbox/steps.hpp"

namespace espalier::apps {

struct Measured {
  double accuracy = 0;  // a fraction: of the file, by the runtime
  double drop = 0;      // by how much its baseline's is higher
  std::int64_t file_bytes = 0, macs = 0;
  double smaller = 0, deflate = 0;  // the baseline's DEFLATE bytes by the file's, and by these
};

struct Baseline {
  double accuracy = 0, deflate_bytes = 0;
};

Measured measure(const Outcome& outcome, const datasets::Dataset& test, const Baseline& baseline);

// The median of each value by itself.
Measured middle(const std::vector<Measured>& seeds);

}  // namespace espalier::apps
