// y = gamma (x - mean) / sqrt(variance + epsilon) + beta     x, y: [... C]   the others: [C]
// Training: the batch's mean and biased variance, which also move the running ones,
// r = momentum r + (1 - momentum) batch. Evaluation: the running ones (Ioffe & Szegedy 2015).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/layer.hpp"

namespace espalier {

class BatchNorm final : public Layer {
 public:
  struct Options {
    std::int64_t channels = 0;  // >= 1
    float momentum = 0.99f;     // [0, 1)
    float epsilon = 1e-3f;      // > 0
  };
  explicit BatchNorm(Options options);
  // y = scale x + offset, [C] each: what evaluation computes.
  struct Affine {
    std::vector<float> scale, offset;
  };
  Affine affine() const;
  // From now on training, too, uses the running statistics and leaves them alone: quantization
  // needs a layer that computes the same thing for every batch.
  void freeze_statistics() { frozen_ = true; }
  // Keeps these channels, in this order; as Conv2d::keep.
  void keep(std::span<const std::int64_t> channels);
  // Parameters gamma and beta; state mean and variance.
  void visit(const Visitor& visitor) override;
  std::string describe() const override;
  Shape output_shape(const Shape& input) const override;  // [... C], unchanged
  const Options& options() const { return options_; }

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;

  Options options_;
  Parameter gamma_, beta_;
  Tensor mean_, variance_;
  bool frozen_ = false;
};

}  // namespace espalier
