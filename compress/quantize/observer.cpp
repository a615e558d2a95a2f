#include "compress/quantize/observer.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::quantize {

void RangeObserver::observe(const Tensor& values) {
  if (values.elements() == 0) return;
  float low = values.values()[0], high = low;
  bool finite = true;
  for (const float v : values.values()) {
    finite &= std::isfinite(v);
    low = std::min(low, v);
    high = std::max(high, v);
  }
  require(finite, ErrorKind::kDiverged, "observer", "an activation is no finite number");
  float* s = state_.mutable_data();
  if (kind_ == ObserverKind::kMinMax) {
    s[kLow] = seen() ? std::min(s[kLow], low) : low;
    s[kHigh] = seen() ? std::max(s[kHigh], high) : high;
    s[kWeight] = 1;
  } else {
    s[kLow] += (1 - decay_) * (low - s[kLow]);
    s[kHigh] += (1 - decay_) * (high - s[kHigh]);
    s[kWeight] += (1 - decay_) * (1 - s[kWeight]);
  }
}

ActivationGrid RangeObserver::grid() const {
  require(seen(), "observer", "has seen no activation: calibrate or train first");
  const float* s = state_.data();
  return activation_grid(s[kLow] / s[kWeight], s[kHigh] / s[kWeight]);
}

}  // namespace espalier::quantize
