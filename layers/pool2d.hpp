// The largest value, or the mean without the padding, of each window.   [N H W C] -> [N OH OW C]
#pragma once

#include "core/kernels/window.hpp"
#include "layers/layer.hpp"

namespace espalier {

struct Pool2dOptions {
  std::int64_t kernel = 2;   // >= 1
  std::int64_t stride = 0;   // >= 1; 0 stands for the kernel's size
  std::int64_t padding = 0;  // on every side, in [0, kernel)
};

class MaxPool2d final : public Layer {
 public:
  explicit MaxPool2d(Pool2dOptions options = {});
  const kernels::Window& window() const { return window_; }
  std::string describe() const override;

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
  kernels::Window window_;
};

class AveragePool2d final : public Layer {
 public:
  explicit AveragePool2d(Pool2dOptions options = {});
  const kernels::Window& window() const { return window_; }
  std::string describe() const override;

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
  kernels::Window window_;
};

}  // namespace espalier
