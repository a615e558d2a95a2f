// y = x . w^T + b     x: [N x IN]   w: [OUT x IN]   b: [OUT], first 0   y: [N x OUT]
#pragma once

#include <cstdint>
#include <span>

#include "layers/init.hpp"
#include "layers/layer.hpp"

namespace espalier {

class Dense final : public Layer {
 public:
  struct Options {
    std::int64_t in = 0, out = 0;  // >= 1
    Init init = Init::kGlorotUniform;
  };
  Dense(Options options, Rng& rng);
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }
  // Keeps these outputs and features, in this order; as Conv2d::keep.
  void keep(std::span<const std::int64_t> outputs, std::span<const std::int64_t> inputs);
  void visit(const Visitor& visitor) override;
  std::string describe() const override;
  Shape output_shape(const Shape& input) const override;  // [IN] -> [OUT]
  std::int64_t macs(const Shape& input) const override;   // IN OUT
  const Options& options() const { return options_; }

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;

  Options options_;
  Parameter weight_, bias_;
};

}  // namespace espalier
