// The largest value, or the mean without the padding, of each window.   [N H W C] -> [N OH OW C]
#pragma once

#include "layers/layer.hpp"
#include "layers/sliding_window.hpp"

namespace espalier {

struct Pool2dOptions {
  Size2d kernel = 2;     // >= 1
  Size2d stride = 0;     // >= 1; 0 stands for the kernel's size
  Padding padding = {};  // valid; same; or explicit sides, in [0, kernel)
};

class Pool2d : public Layer {
 public:
  const SlidingWindow& options() const { return window_; }
  // For an input [H W C] or [N H W C]: the padding `same` may depend on its size.
  kernels::Window window(const Shape& input) const { return window_.at(input); }
  Shape output_shape(const Shape& input) const override;  // [H W C] -> [OH OW C]

 protected:
  Pool2d(const char* kind, Pool2dOptions options);
  std::string described(const char* kind) const;

 private:
  SlidingWindow window_;
};

class MaxPool2d final : public Pool2d {
 public:
  explicit MaxPool2d(Pool2dOptions options = {}) : Pool2d("MaxPool2d", options) {}
  std::string describe() const override { return described("MaxPool2d"); }

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
};

class AveragePool2d final : public Pool2d {
 public:
  explicit AveragePool2d(Pool2dOptions options = {}) : Pool2d("AveragePool2d", options) {}
  std::string describe() const override { return described("AveragePool2d"); }

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
};

}  // namespace espalier
