#include "core/kernels/pool2d.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {
namespace {

// dx: dy goes where the largest value stood, which the workspace knows
Variable recorded(const char* name, const Variable& x, const kernels::MaxPool2dResult& pooled,
                  const kernels::Window& window) {
  return record(name, pooled.y, {x}, [window, at = pooled.workspace](const BackwardContext& ctx) {
    return Gradients{kernels::max_pool2d_dx(ctx.gradient(), at, ctx.input(0).shape(), window)};
  });
}

}  // namespace

// y = the window's largest value
Variable max_pool2d(const Variable& x, const kernels::Window& window) {
  return recorded("max_pool2d", x, kernels::max_pool2d(x.value(), window), window);
}

// y = max(the window's largest value, 0)     dx: where y is 0, dy goes nowhere
Variable relu_max_pool2d(const Variable& x, const kernels::Window& window) {
  if (!kernels::loops::pools(window)) return max_pool2d(relu(x), window);
  return recorded("relu_max_pool2d", x, kernels::loops::relu_max_pool2d(x.value(), window), window);
}

}  // namespace espalier::ops
