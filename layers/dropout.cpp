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
  Rng& rng = *context.rng;
  const auto [first, whole] = context.part;
  if (whole == 0 || x.value().elements() == 0) return ops::dropout(x, rate_, rng);
  const auto each = static_cast<std::uint64_t>(x.value().elements() / x.shape()[0]);
  const std::uint64_t begin = rng.position();
  rng.seek(begin + static_cast<std::uint64_t>(first) * each);
  const Variable y = ops::dropout(x, rate_, rng);
  rng.seek(begin + static_cast<std::uint64_t>(whole) * each);
  return y;
}

std::string Dropout::describe() const {
  std::ostringstream out;
  out << "Dropout(" << rate_ << ')';
  return out.str();
}

}  // namespace espalier
