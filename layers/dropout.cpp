#include "layers/dropout.hpp"

#include "core/ops/ops.hpp"

namespace espalier {

Dropout::Dropout(float rate) : rate_(rate) {
  require(0 <= rate && rate < 1, "Dropout", "wants a rate in [0, 1), got ", rate);
}

Variable Dropout::forward(const Variable& x, const ForwardContext& context) {
  if (!context.training) return x;
  require(context.rng != nullptr, "Dropout",
          "draws while it trains; set ForwardContext::rng to the dropout stream");
  return ops::dropout(x, rate_, *context.rng);
}

std::string Dropout::describe() const {
  std::ostringstream out;
  out << "Dropout(" << rate_ << ')';
  return out.str();
}

}  // namespace espalier
