// y = x . w^T + b     x: [N x IN]   w: [OUT x IN]   b: [OUT], first 0   y: [N x OUT]
#pragma once

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
