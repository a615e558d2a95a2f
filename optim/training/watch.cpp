#include "optim/training/watch.hpp"

#include <limits>

#include "core/base/text.hpp"

namespace espalier::training {
namespace {

using Use = std::function<void(const std::string&, Tensor)>;

// Every value of the model; the handles share its memory.
void each_value(Layer& model, const Use& use) {
  model.visit(
      {.parameter = [&](const std::string& name, Parameter& p) { use(name, p.latent().value()); },
       .state = [&](const std::string& name, Tensor& s) { use(name, s); }});
}

}  // namespace

Watch::Watch(WatchOptions options, Layer& model) : options_(options), model_(model) {
  require(options.stop_after >= 0 && options.drop_after >= 0 && 0 < options.drop_factor &&
              options.drop_factor < 1,
          "Watch", "wants epochs of at least 0 and a factor in (0, 1), got ", options.stop_after,
          ", ", options.drop_after, " and ", options.drop_factor);
  numbers_.mutable_data()[0] = std::numeric_limits<float>::max();
  numbers_.mutable_data()[1] = 1;
  if (options_.stop_after == 0) return;
  each_value(model_, [&](const std::string& name, const Tensor& value) {
    best_.emplace(name, value.clone());
  });
}

void Watch::after_epoch(double loss) {
  float& lowest = numbers_.mutable_data()[0];
  auto* counts = counts_.mutable_data<std::int32_t>();
  if (static_cast<float>(loss) < lowest) {
    lowest = static_cast<float>(loss);
    counts[0] = counts[1] = 0;
    if (!best_.empty())
      each_value(model_, [&](const std::string& name, const Tensor& value) {
        best_.at(name).copy_from(value);
      });
    return;
  }
  ++counts[0], ++counts[1];
  if (options_.drop_after > 0 && counts[1] >= options_.drop_after) {
    numbers_.mutable_data()[1] *= options_.drop_factor;
    counts[1] = 0;
  }
  if (options_.stop_after > 0 && counts[0] >= options_.stop_after) counts[2] = 1;
}

void Watch::restore_best() {
  if (best_.empty()) return;
  each_value(model_,
             [&](const std::string& name, Tensor value) { value.copy_from(best_.at(name)); });
}

void Watch::visit_state(const StateVisitor& visitor) {
  visitor("numbers", numbers_);
  visitor("counts", counts_);
  for (auto& [name, value] : best_) visitor("best." + name, value);
}

std::string Watch::settings() const {
  return std::to_string(options_.stop_after) + ' ' + std::to_string(options_.drop_after) + ' ' +
         fixed(options_.drop_factor, 6);
}

}  // namespace espalier::training
