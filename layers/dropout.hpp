// Training: each value is 0 with probability `rate`, else divided by 1 - rate (Srivastava et al.
// 2014). Evaluation: y = x. A part of a batch gets what the whole one would have had there.
#pragma once

#include "layers/layer.hpp"

namespace espalier {

class Dropout final : public Layer {
 public:
  explicit Dropout(float rate);  // [0, 1)
  std::string describe() const override;
  Shape output_shape(const Shape& input) const override { return input; }
  float rate() const { return rate_; }

 private:
  // Errors: training without a Rng in the context.
  Variable forward(const Variable& x, const ForwardContext& context) override;
  float rate_;
};

}  // namespace espalier
