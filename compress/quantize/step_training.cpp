#include "compress/quantize/step_training.hpp"

#include <algorithm>

namespace espalier::quantize {

void StepTraining::add(const std::string& which, const std::vector<Variable>& steps,
                       float learning_rate) {
  if (steps.empty()) return;
  const optim::Sgd::Options options{.learning_rate = learning_rate, .momentum = 0.9f};
  groups_.emplace(which, Group{steps, optim::Sgd(steps, options)});
}

void StepTraining::clear_gradients() {
  for (auto& [_, group] : groups_) group.optimizer.clear_gradients();
}

void StepTraining::step() {
  constexpr float kLeast = 1e-8f;
  for (auto& [_, group] : groups_) {
    require(group.optimizer.step(), ErrorKind::kDiverged, "QuantizationAware",
            "the gradient of a step size is not finite; lower the learning rate");
    for (Variable& steps : group.steps)
      for (float& s : steps.mutable_value().mutable_values())
        if (s != 0) s = std::max(s, kLeast);
  }
}

void StepTraining::visit_state(const training::StateVisitor& visitor) {
  for (auto& [which, group] : groups_)
    group.optimizer.visit_state([&, &name_of = which](const std::string& name, Tensor& state) {
      visitor(name_of + '.' + name, state);
    });
}

}  // namespace espalier::quantize
