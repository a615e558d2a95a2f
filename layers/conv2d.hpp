// y = x (*) w + b     x: [N H W C]   w: [O KH KW C]   b: [O], first 0   y: [N OH OW O]
#pragma once

#include <cstdint>
#include <span>

#include "layers/init.hpp"
#include "layers/layer.hpp"
#include "layers/sliding_window.hpp"

namespace espalier {

class Conv2d final : public Layer {
 public:
  struct Options {
    std::int64_t in = 0, out = 0;  // channels, >= 1
    Size2d kernel;                 // >= 1
    Size2d stride = 1;             // >= 1
    Padding padding = {};          // valid; same; or explicit sides, in [0, kernel)
    Init init = Init::kHeNormal;
  };
  Conv2d(Options options, Rng& rng);
  const Options& options() const { return options_; }
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }
  // For an input [H W C] or [N H W C]: the padding `same` may depend on its size.
  kernels::Window window(const Shape& input) const;
  // What relu and this pooling make of the layer's output, in one op, past the output's tap: x [N H W C]
  // to [N PH PW O].
  Variable relu_max_pooled(const Variable& x, const kernels::Window& pool);
  // Keeps these channels, in this order; optimizers are to be bound anew. Errors: kUsage for none, one
  // that is not there, and parameters with transforms.
  void keep(std::span<const std::int64_t> outputs, std::span<const std::int64_t> inputs);
  void visit(const Visitor& visitor) override;
  std::string describe() const override;
  Shape output_shape(const Shape& input) const override;  // [H W C] -> [OH OW O]
  std::int64_t macs(const Shape& input) const override;   // OH OW O KH KW C

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;

  Options options_;
  Parameter weight_, bias_;
};

}  // namespace espalier
