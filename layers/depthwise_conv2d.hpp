// y = x (*) w + b, channel by channel: MobileNet's first half, a convolution 1x1 being the other.
// x: [N H W C]   w: [C KH KW 1]   b: [C], first 0   y: [N OH OW C]
#pragma once

#include <cstdint>
#include <span>

#include "layers/init.hpp"
#include "layers/layer.hpp"
#include "layers/sliding_window.hpp"

namespace espalier {

class DepthwiseConv2d final : public Layer {
 public:
  struct Options {
    std::int64_t channels = 0;    // >= 1, in and out
    Size2d kernel;                // >= 1
    Size2d stride = 1;            // >= 1
    Padding padding = {};         // valid; same; or explicit sides, in [0, kernel)
    Init init = Init::kHeNormal;  // fan_in is KH KW
  };
  DepthwiseConv2d(Options options, Rng& rng);
  const Options& options() const { return options_; }
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }
  // For an input [H W C] or [N H W C]: the padding `same` may depend on its size.
  kernels::Window window(const Shape& input) const;
  // Keeps these channels, in this order; as Conv2d::keep.
  void keep(std::span<const std::int64_t> channels);
  void visit(const Visitor& visitor) override;
  std::string describe() const override;
  Shape output_shape(const Shape& input) const override;  // [H W C] -> [OH OW C]
  std::int64_t macs(const Shape& input) const override;   // OH OW C KH KW

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;

  Options options_;
  Parameter weight_, bias_;
};

}  // namespace espalier
