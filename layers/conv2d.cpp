#include "layers/conv2d.hpp"

#include "core/ops/ops.hpp"

namespace espalier {

Conv2d::Conv2d(Options o, Rng& rng)
    : options_(o),
      window_{.kernel_h = o.kernel,
              .kernel_w = o.kernel,
              .stride_h = o.stride,
              .stride_w = o.stride,
              .pad_top = o.padding,
              .pad_left = o.padding,
              .pad_bottom = o.padding,
              .pad_right = o.padding},
      weight_(initial_weights(o.init, {o.out, o.kernel, o.kernel, o.in}, rng)),
      bias_(Tensor({o.out})) {}

Variable Conv2d::forward(const Variable& x, const ForwardContext&) {
  return ops::add_bias(ops::conv2d(x, weight_.effective(), window_), bias_.effective());
}

void Conv2d::visit(const Visitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

std::string Conv2d::describe() const {
  std::ostringstream out;
  out << "Conv2d(" << options_.in << " -> " << options_.out << ", kernel " << options_.kernel
      << ", stride " << options_.stride << ", padding " << options_.padding << ')';
  return out.str();
}

}  // namespace espalier
