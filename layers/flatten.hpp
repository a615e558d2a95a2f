// [N H W C] -> [N x H*W*C], in the order H W C. Any rank from 2 on.
#pragma once

#include "layers/layer.hpp"

namespace espalier {

class Flatten final : public Layer {
 public:
  std::string describe() const override { return "Flatten()"; }
  Shape output_shape(const Shape& input) const override;  // [H W C] -> [H*W*C]

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
};

}  // namespace espalier
