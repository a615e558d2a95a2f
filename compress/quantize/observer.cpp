#include "compress/quantize/observer.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::quantize {

void RangeObserver::observe(const Tensor& values) {
  if (values.elements() == 0) return;
  double low = values.values()[0], high = low;
  bool finite = true;
  for (const float v : values.values()) {
    finite &= std::isfinite(v);
    low = std::min<double>(low, v);
    high = std::max<double>(high, v);
  }
  require(finite, ErrorKind::kDiverged, "observer",
          "an activation is no number; train with a smaller learning rate");
  if (kind_ == ObserverKind::kMinMax) {
    low_ = seen_ ? std::min(low_, low) : low;
    high_ = seen_ ? std::max(high_, high) : high;
    weight_ = 1;
  } else {
    low_ = decay_ * low_ + (1 - decay_) * low;
    high_ = decay_ * high_ + (1 - decay_) * high;
    weight_ = decay_ * weight_ + (1 - decay_);
  }
  seen_ = true;
}

ActivationGrid RangeObserver::grid() const {
  require(seen_, "observer", "has seen no activation: calibrate or train first");
  return activation_grid(static_cast<float>(low_ / weight_), static_cast<float>(high_ / weight_));
}

}  // namespace espalier::quantize
