#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// c = a + b     da = dc     db = dc
Variable add(const Variable& a, const Variable& b) {
  return record("add", kernels::add(a.value(), b.value()), {a, b}, [](const BackwardContext& ctx) {
    return Gradients{ctx.gradient(), ctx.gradient()};
  });
}

}  // namespace espalier::ops
