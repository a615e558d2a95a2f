// The networks of the benchmarks as int8 models with random weights: times depend on where the
// zeros are, not on what a network has learnt.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::bench {

struct Zeros {
  double share = 0;                      // of each linear layer's weights
  std::int64_t outputs = 1, inputs = 1;  // as many at once
};

struct Network {
  std::string name;
  std::function<format::PackedModel(const Zeros&)> build;
};

// small and large (the tutorial's), lenet5, lenet300 (LeCun et al. 1998; the fully connected one
// with 300 and 100 hidden units).
std::vector<Network> networks();

}  // namespace espalier::bench
