#include "compress/quantize/observer.hpp"

#include <algorithm>
#include <cmath>

#include "compress/quantize/extremes.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::quantize {
namespace {

ActivationGrid grid_of(ObserverKind kind, const Histogram& histogram, int bits) {
  const int levels = 1 << bits;
  constexpr double kShare = 0.9999;
  const Range range = kind == ObserverKind::kPercentile ? range_by_percentile(histogram, kShare)
                      : kind == ObserverKind::kEntropy  ? range_by_entropy(histogram, levels)
                                                        : range_by_squared_error(histogram, levels);
  return activation_grid(range.low, range.high, bits);
}

}  // namespace

RangeObserver::RangeObserver(ObserverKind kind, float decay, int bits)
    : kind_(kind), decay_(decay), bits_(bits), state_({3}) {}

void RangeObserver::learn() {
  check_activation_bits(bits_);
  step_ = Variable(Tensor({1}), /*needs_gradient=*/true);
}

bool RangeObserver::seen() const {
  if (step_.defined()) return step_.value().item() > 0;
  return counts() ? histogram_.seen() : state_.data()[kWeight] > 0;
}

void RangeObserver::observe(const Tensor& values) {
  if (values.elements() == 0) return;
  const Extremes seen_now = extremes(values.values());
  require(seen_now.finite, ErrorKind::kDiverged, "observer", "an activation is no finite number");
  const auto [low, high, _] = seen_now;
  if (step_.defined()) {
    double magnitudes = 0;
    for (const float v : values.values()) magnitudes += std::abs(double{v});
    const double mean = magnitudes / static_cast<double>(values.elements());
    const auto first = static_cast<float>(2 * mean / std::sqrt(double((1 << bits_) - 1)));
    step_.mutable_value().fill(first > 0 ? first : 1.0f);  // of nothing but zeros any will do
    return;
  }
  if (counts()) {
    grid_.reset();
    return histogram_.observe(values);
  }
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
  if (step_.defined())
    return {step_.value().item(), kernels::kMaxActivationLevel - ((1 << bits_) - 1)};
  if (counts()) {
    if (!grid_) grid_ = grid_of(kind_, histogram_, bits_);
    return *grid_;
  }
  const float* s = state_.data();
  return activation_grid(s[kLow] / s[kWeight], s[kHigh] / s[kWeight], bits_);
}

}  // namespace espalier::quantize
