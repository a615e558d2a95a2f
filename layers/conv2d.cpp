#include "layers/conv2d.hpp"

#include "core/ops/ops.hpp"
#include "layers/selected.hpp"

namespace espalier {
namespace {

const Conv2d::Options& checked(const Conv2d::Options& o) {
  require(o.in >= 1 && o.out >= 1, "Conv2d", "wants channels >= 1, got ", o.in, " -> ", o.out);
  SlidingWindow{o.kernel, o.stride, o.padding}.check("Conv2d");
  return o;
}

}  // namespace

Conv2d::Conv2d(Options o, Rng& rng)
    : options_(checked(o)),
      weight_(initial_weights(o.init, {o.out, o.kernel.h, o.kernel.w, o.in}, rng)),
      bias_(Tensor({o.out})) {}

kernels::Window Conv2d::window(const Shape& input) const {
  return SlidingWindow{options_.kernel, options_.stride, options_.padding}.at(input);
}

Variable Conv2d::forward(const Variable& x, const ForwardContext&) {
  return ops::conv2d(x, weight_.effective(), bias_.effective(), window(x.shape()));
}

Variable Conv2d::relu_max_pooled(const Variable& x, const kernels::Window& pool) {
  const Variable read = tap_input(x);
  return ops::conv2d_relu_max_pool2d(read, weight_.effective(), bias_.effective(),
                                     window(read.shape()), pool);
}

void Conv2d::visit(const Visitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

std::string Conv2d::describe() const {
  std::ostringstream out;
  out << "Conv2d(" << options_.in << " -> " << options_.out << ", "
      << SlidingWindow{options_.kernel, options_.stride, options_.padding} << ')';
  return out.str();
}

Shape Conv2d::output_shape(const Shape& input) const {
  require(input.rank() == 3, "Conv2d", "wants an image [H W C], got ", input);
  const Shape y = kernels::convolved_shape({1, input[0], input[1], input[2]},
                                           weight_.latent().shape(), window(input));
  return {y[1], y[2], y[3]};
}

std::int64_t Conv2d::macs(const Shape& input) const {
  const Shape y = output_shape(input);
  return y[0] * y[1] * weight_.latent().shape().elements();
}

void Conv2d::keep(std::span<const std::int64_t> outputs, std::span<const std::int64_t> inputs) {
  weight_ = selected(selected(weight_, 0, outputs), -1, inputs);
  bias_ = selected(bias_, 0, outputs);
  options_.out = std::ssize(outputs);
  options_.in = std::ssize(inputs);
}

}  // namespace espalier
