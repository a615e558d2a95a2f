// y = x (*) w + b     x: [N H W C]   w: [O K K C]   b: [O], first 0   y: [N OH OW O]
#pragma once

#include "core/kernels/window.hpp"
#include "layers/init.hpp"
#include "layers/layer.hpp"

namespace espalier {

class Conv2d final : public Layer {
 public:
  struct Options {
    std::int64_t in = 0, out = 0, kernel = 0;  // >= 1
    std::int64_t stride = 1;                   // >= 1
    std::int64_t padding = 0;                  // on every side, in [0, kernel)
    Init init = Init::kHeNormal;
  };
  Conv2d(Options options, Rng& rng);
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }
  const kernels::Window& window() const { return window_; }
  void visit(const Visitor& visitor) override;
  std::string describe() const override;

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;

  Options options_;
  kernels::Window window_;
  Parameter weight_, bias_;
};

}  // namespace espalier
