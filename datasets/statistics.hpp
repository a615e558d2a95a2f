// What a data set looks like in numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

struct Statistics {
  std::vector<std::int64_t> counts;     // of each class
  std::vector<double> mean, deviation;  // of each channel, over all images and pixels
};

// Reads every example once; `progress` is told how many are behind. Errors: kUsage for an empty
// dataset; kInterrupted by Ctrl-C; as get().
Statistics statistics_of(const Dataset& dataset,
                         const std::function<void(std::int64_t done)>& progress = {});

}  // namespace espalier::datasets
