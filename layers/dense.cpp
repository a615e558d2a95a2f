#include "layers/dense.hpp"

#include "core/ops/ops.hpp"
#include "layers/selected.hpp"

namespace espalier {

Dense::Dense(Options options, Rng& rng)
    : options_(options),
      weight_(initial_weights(options.init, {options.out, options.in}, rng)),
      bias_(Tensor({options.out})) {}

Variable Dense::forward(const Variable& x, const ForwardContext&) {
  return ops::add_bias(ops::matmul(x, weight_.effective(), {.transpose_b = true}),
                       bias_.effective());
}

void Dense::visit(const Visitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

Shape Dense::output_shape(const Shape& input) const {
  require(input.rank() == 1, "Dense", "wants features [", options_.in, "], got ", input,
          "; put a Flatten layer before it");
  require(input[0] == options_.in, "Dense", "wants ", options_.in, " features, got ", input[0]);
  return {options_.out};
}

std::int64_t Dense::macs(const Shape&) const {
  return options_.in * options_.out;
}

std::string Dense::describe() const {
  std::ostringstream out;
  out << "Dense(" << options_.in << " -> " << options_.out << ')';
  return out.str();
}

void Dense::keep(std::span<const std::int64_t> outputs, std::span<const std::int64_t> inputs) {
  weight_ = selected(selected(weight_, 0, outputs), -1, inputs);
  bias_ = selected(bias_, 0, outputs);
  options_.out = std::ssize(outputs);
  options_.in = std::ssize(inputs);
}

}  // namespace espalier
