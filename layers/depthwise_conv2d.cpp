#include "layers/depthwise_conv2d.hpp"

#include "core/ops/ops.hpp"
#include "layers/selected.hpp"

namespace espalier {
namespace {

const DepthwiseConv2d::Options& checked(const DepthwiseConv2d::Options& o) {
  require(o.channels >= 1, "DepthwiseConv2d", "wants channels >= 1, got ", o.channels);
  SlidingWindow{o.kernel, o.stride, o.padding}.check("DepthwiseConv2d");
  return o;
}

}  // namespace

DepthwiseConv2d::DepthwiseConv2d(Options o, Rng& rng)
    : options_(checked(o)),
      weight_(initial_weights(o.init, {o.channels, o.kernel.h, o.kernel.w, 1}, rng)),
      bias_(Tensor({o.channels})) {}

kernels::Window DepthwiseConv2d::window(const Shape& input) const {
  return SlidingWindow{options_.kernel, options_.stride, options_.padding}.at(input);
}

Variable DepthwiseConv2d::forward(const Variable& x, const ForwardContext&) {
  return ops::add_bias(ops::depthwise_conv2d(x, weight_.effective(), window(x.shape())),
                       bias_.effective());
}

void DepthwiseConv2d::visit(const Visitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

std::string DepthwiseConv2d::describe() const {
  std::ostringstream out;
  out << "DepthwiseConv2d(" << options_.channels << ", "
      << SlidingWindow{options_.kernel, options_.stride, options_.padding} << ')';
  return out.str();
}

Shape DepthwiseConv2d::output_shape(const Shape& input) const {
  require(input.rank() == 3, "DepthwiseConv2d", "wants an image [H W C], got ", input);
  const Shape y = kernels::depthwise_shape({1, input[0], input[1], input[2]},
                                           weight_.latent().shape(), window(input));
  return {y[1], y[2], y[3]};
}

std::int64_t DepthwiseConv2d::macs(const Shape& input) const {
  return output_shape(input).elements() * options_.kernel.h * options_.kernel.w;
}

void DepthwiseConv2d::keep(std::span<const std::int64_t> channels) {
  weight_ = selected(weight_, 0, channels);
  bias_ = selected(bias_, 0, channels);
  options_.channels = std::ssize(channels);
}

}  // namespace espalier
