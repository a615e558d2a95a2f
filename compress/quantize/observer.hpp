// The range of an activation, as training or calibration sees it.
#pragma once

#include "compress/quantize/grid.hpp"

namespace espalier::quantize {

enum class ObserverKind {
  kMinMax,         // the smallest and largest value ever seen: for calibration
  kMovingAverage,  // exponential mean of each batch's extremes, corrected for its start (Jacob et
                   // al. 2018, section 3.1): for training, where early ranges are stale
};

class RangeObserver {
 public:
  explicit RangeObserver(ObserverKind kind, double decay = 0.999) : kind_(kind), decay_(decay) {}
  // Errors: kDiverged for a NaN or infinity.
  void observe(const Tensor& values);
  bool seen() const { return seen_; }
  ActivationGrid grid() const;  // errors: nothing was seen

 private:
  ObserverKind kind_;
  double decay_, low_ = 0, high_ = 0, weight_ = 0;
  bool seen_ = false;
};

}  // namespace espalier::quantize
