// y = max(x, 0)
#pragma once

#include "core/ops/ops.hpp"
#include "layers/layer.hpp"

namespace espalier {

class Relu final : public Layer {
 public:
  std::string describe() const override { return "Relu()"; }
  Shape output_shape(const Shape& input) const override { return input; }

 private:
  Variable forward(const Variable& x, const ForwardContext&) override { return ops::relu(x); }
};

}  // namespace espalier
