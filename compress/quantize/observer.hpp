// The range of an activation, as training or calibration sees it.
#pragma once

#include <optional>

#include "compress/quantize/grid.hpp"
#include "compress/quantize/histogram.hpp"
#include "core/autograd/variable.hpp"

namespace espalier::quantize {

enum class ObserverKind {
  kMinMax,         // the smallest and largest value ever seen: for calibration
  kMovingAverage,  // exponential mean of each batch's extremes, corrected for its start (Jacob et
                   // al. 2018, section 3.1): for training, where early ranges are stale
  // From a histogram, for calibration (histogram.hpp):
  kPercentile,    // all but a 10,000th of the values on each side
  kSquaredError,  // the range of least squared error
  kEntropy,       // the range of least Kullback-Leibler divergence
};

class RangeObserver {
 public:
  explicit RangeObserver(ObserverKind kind, float decay = 0.999f, int bits = 7);
  // The range is learned from here on: levels 0 to q = 2^bits - 1 times a step that training moves
  // (learned_step.hpp). What is observed gives its first value, 2 mean|v| / sqrt(q) (Esser et al.
  // 2020, section 2.1). For activations that are not negative.
  void learn();
  // [1], 0 before anything was seen. Undefined where the range is observed.
  const Variable& step() const { return step_; }
  Variable& step() { return step_; }

  // Errors: kDiverged for a NaN or infinity.
  void observe(const Tensor& values);
  bool seen() const;
  ActivationGrid grid() const;  // errors: nothing was seen

  // For checkpoints: all that it knows.
  Tensor& state() {
    grid_.reset();
    if (step_.defined()) return step_.mutable_value();
    return counts() ? histogram_.state() : state_;
  }

 private:
  enum { kLow, kHigh, kWeight };  // weight: how much was seen, 0 (nothing) to 1
  bool counts() const {
    return kind_ != ObserverKind::kMinMax && kind_ != ObserverKind::kMovingAverage;
  }
  ObserverKind kind_;
  float decay_;
  int bits_;  // of the grid, 2 to 7 (activation_grid)
  Variable step_;
  Tensor state_;
  Histogram histogram_;                         // of the kinds that count
  mutable std::optional<ActivationGrid> grid_;  // what they cost to choose is paid once
};

}  // namespace espalier::quantize
