// How good predicted numbers are.
#pragma once

#include <cmath>
#include <cstdint>

namespace espalier::apps {

class NumberScores {
 public:
  void add(double predicted, double target) {
    ++count_;
    squares_ += (predicted - target) * (predicted - target);
    const double step = target - mean_;  // Welford 1962
    mean_ += step / static_cast<double>(count_);
    spread_ += step * (target - mean_);
  }
  // The root of the mean squared error, in the unit of what was added.
  double rmse() const { return std::sqrt(squares_ / static_cast<double>(count_)); }
  // 1 - squared errors / squared distances from the targets' mean: 1 is perfect, 0 no better than
  // that mean. 0 where the targets do not vary.
  double r2() const { return spread_ > 0 ? 1 - squares_ / spread_ : 0; }

 private:
  std::int64_t count_ = 0;
  double squares_ = 0, mean_ = 0, spread_ = 0;
};

// What compression costs a model of numbers: by how many percent its error grows. 0 where both
// predict without any.
inline double growth_percent(double rmse, double before) {
  return rmse == before ? 0 : 100 * (rmse / before - 1);
}

}  // namespace espalier::apps
