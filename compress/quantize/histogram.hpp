// A histogram of values whose range is not known beforehand, and the ranges that calibration reads
// off it.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::quantize {

class Histogram {
 public:
  static constexpr std::int64_t kBins = 4096;

  // Over [-r, r], r a power of two that holds everything seen: where a value lies outside, r
  // doubles and pairs of bins merge. Values must be finite.
  void observe(const Tensor& values);

  bool seen() const { return state_.data()[0] > 0; }
  std::int64_t bins() const { return kBins; }
  double count(std::int64_t bin) const { return double{state_.data()[1 + bin]}; }
  double width() const { return 2 * double{state_.data()[0]} / kBins; }
  double center(std::int64_t bin) const {
    return (static_cast<double>(bin) + 0.5) * width() - double{state_.data()[0]};
  }
  Tensor& state() { return state_; }  // [1 + bins]: r, counts; for checkpoints

 private:
  Tensor state_{Shape{1 + kBins}};
};

struct Range {
  float low = 0, high = 0;
};

// What is not empty, to a bin. All take a histogram that has seen something.
Range whole_range(const Histogram& histogram);

// At most 1 - share of the values lie below, and as many above: share in (0.5, 1], usually 0.9999
// (Wu et al. 2020, "Integer quantization for deep learning inference", section 4.3).
Range range_by_percentile(const Histogram& histogram, double share);

// Clipped at the magnitude, in hundredths of the largest, for which rounding to `levels` levels costs
// the least mean squared error.
Range range_by_squared_error(const Histogram& histogram, int levels);

// At the magnitude for which the distribution after rounding tells the most of the one before: least
// Kullback-Leibler divergence, clipped values counted at the edge (Migacz 2017, "8-bit inference
// with TensorRT").
Range range_by_entropy(const Histogram& histogram, int levels);

}  // namespace espalier::quantize
