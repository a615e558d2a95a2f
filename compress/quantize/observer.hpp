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
  explicit RangeObserver(ObserverKind kind, float decay = 0.999f)
      : kind_(kind), decay_(decay), state_({3}) {}
  // Errors: kDiverged for a NaN or infinity.
  void observe(const Tensor& values);
  bool seen() const { return state_.data()[kWeight] > 0; }
  ActivationGrid grid() const;  // errors: nothing was seen

  Tensor& state() { return state_; }  // for checkpoints: all that it knows

 private:
  enum { kLow, kHigh, kWeight };  // weight: how much was seen, 0 (nothing) to 1
  ObserverKind kind_;
  float decay_;
  Tensor state_;
};

}  // namespace espalier::quantize
