#include "compress/prune/keep_zeros.hpp"

#include "compress/prune/mask.hpp"

namespace espalier::prune {

void KeepZeros::attach(Layer& model) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!select_(name, p)) return;
    targets_.push_back({name, &p, nonzero_mask(p.latent().value())});
    p.add_transform("keep_zeros", masked_by(targets_.back().mask, MaskGradient::kMasked));
  }});
}

bool KeepZeros::visit_state(const training::StateVisitor& visitor) {
  for (auto& target : targets_) visitor(target.name + ".mask", target.mask);
  return true;
}

void KeepZeros::bake() {
  for (const auto& target : targets_) bake_mask(target, "keep_zeros");
  targets_.clear();
}

}  // namespace espalier::prune
