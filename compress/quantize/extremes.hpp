// The smallest and largest of many numbers.
#pragma once

#include <span>

namespace espalier::quantize {

struct Extremes {
  float low = 0, high = 0;
  bool finite = true;  // no NaN or infinity among them; else low and high mean nothing
};
// Errors: none; `values` holds one at least.
Extremes extremes(std::span<const float> values);

}  // namespace espalier::quantize
