// Digits drawn from strokes: the tutorial's data where MNIST is not at hand. About as hard
// as MNIST for the tutorial's network, and no stand-in for it in a result.
#pragma once

#include "datasets/dataset.hpp"

namespace espalier::datasets {

struct SyntheticDigitsOptions {
  std::int64_t train = 12000;  // examples; the digits take turns: label = i mod 10
  std::int64_t test = 2000;
  std::uint64_t seed = 1;
};

// [28 28 1]. Each digit's skeleton (lines and arcs) is bent by a smooth random field, turned,
// scaled, slanted and moved, drawn with a pen of random width, and given noise. Image i depends on
// (seed, train or test, i) alone: a larger set begins with the smaller one.
// Errors: kUsage when a count is not 1 to 1,000,000.
TrainTest synthetic_digits(SyntheticDigitsOptions options = {});

}  // namespace espalier::datasets
