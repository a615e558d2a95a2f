// The experiments of TensorFlow Model Optimization's tutorials, each from the same trained network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/toolbox/steps.hpp"

namespace espalier::apps {

struct Experiment {
  std::string name;        // "cluster 16"
  std::string theirs;      // what the toolkit's own tutorial reports
  double must_shrink = 0;  // the baseline's DEFLATE bytes by the file's; 0: nothing is asked
  bool deflate_to_deflate = false;  // must_shrink is of DEFLATE to DEFLATE
  double must_accuracy = 0;         // a fraction, at least
  double must_drop = 1;             // at most so far below the baseline, its own if it has one
  double must_macs = 1;             // at most this share of the baseline's
  std::function<Outcome(const Start&)> run;
};

const std::vector<Experiment>& experiments();

}  // namespace espalier::apps
