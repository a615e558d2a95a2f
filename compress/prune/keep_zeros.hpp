// "Zeros stay zero": for stages after pruning.
#pragma once

#include <string>
#include <vector>

#include "compress/prune/masked_parameter.hpp"
#include "compress/prune/selection.hpp"
#include "optim/training/pass.hpp"

namespace espalier::prune {

// Keeps the zeros that are there. Attach it before the pass that trains on and bake it after that
// one.
class KeepZeros final : public training::Pass {
 public:
  explicit KeepZeros(Selection select = weights()) : select_(std::move(select)) {}
  void attach(Layer& model) override;
  void step(const training::StepInfo&) override {}
  std::string wants_whole_batches() const override { return {}; }
  bool visit_state(const training::StateVisitor& visitor) override;
  void bake() override;

 private:
  Selection select_;
  std::vector<MaskedParameter> targets_;
};

}  // namespace espalier::prune
