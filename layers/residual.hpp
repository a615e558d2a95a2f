// y = x + other: what a layer before yielded is added to what came of it (He et al. 2015, "Deep
// residual learning for image recognition", eq. 1). Sequential hands over `other`.
#pragma once

#include "core/ops/ops.hpp"
#include "layers/layer.hpp"

namespace espalier {

class Residual final : public Layer {
 public:
  std::string describe() const override { return "Residual()"; }
  Shape output_shape(const Shape& input) const override { return input; }

  // Receives either summand; what it returns is added. Quantization rounds here: integers add levels
  // of one scale.
  void set_summand_tap(Tap tap) { summand_tap_ = std::move(tap); }

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override {
    require(context.other != nullptr, "Residual",
            "wants a second summand: name the layer that yields it when it joins a Sequential");
    return summand_tap_ ? ops::add(summand_tap_(x), summand_tap_(*context.other))
                        : ops::add(x, *context.other);
  }
  Tap summand_tap_;
};

}  // namespace espalier
