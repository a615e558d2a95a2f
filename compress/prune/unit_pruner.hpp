// Pruning of whole units, a convolution's filters and a dense layer's neurons (Li et al. 2017,
// "Pruning filters for efficient ConvNets": the smallest L1 norms go), and making the tensors
// smaller by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/prune/allocation.hpp"
#include "compress/prune/masked_parameter.hpp"
#include "compress/prune/selection.hpp"
#include "compress/prune/sparsity_schedule.hpp"
#include "core/base/warn.hpp"
#include "layers/sequential.hpp"
#include "optim/training/pass.hpp"

namespace espalier::prune {

// While the model trains: a unit that goes loses its weights, its bias, and its channel of batch norms
// and depthwise convolutions that follow, so that it puts out nothing but 0. The last linear layer's
// units are the model's answers and stay; every layer keeps one unit. A depthwise convolution has no
// units of its own: its channels are those of the convolution before it, or the image's.
class UnitPruner final : public training::Pass {
 public:
  struct Options {
    SparsitySchedule schedule = nullptr;  // required: the share of each layer's units that is gone
    std::int64_t frequency_steps = 100;   // >= 1: as PrunerOptions
    Selection select = weights();         // of the weights whose outputs are units
    bool global = false;                  // the smallest mean magnitudes of all layers together
    Warn warn = warn_on_standard_error;   // as PrunerOptions: of a run too short
  };
  explicit UnitPruner(Options options);
  // Errors: kUsage for anything but a Sequential, and when nothing was selected.
  void attach(Layer& model) override;
  void step(const training::StepInfo& info) override;
  std::string wants_whole_batches() const override { return {}; }
  bool visit_state(const training::StateVisitor& visitor) override;
  // Errors: kInternal, as Pruner::bake.
  void bake() override;

 private:
  struct Target {
    std::string name;  // of the weight
    MaskedParameter weight;
    std::vector<MaskedParameter> others;  // a slice a unit: bias, gamma, beta, depthwise kernels
  };
  void choose(float sparsity);
  std::vector<std::int64_t> removed_units(const std::vector<Candidate>& candidates,
                                          float sparsity) const;
  void check_end() const;
  Options options_;
  std::vector<Target> targets_;
  float reached_ = 0, wanted_ = 0;  // the schedule's values at the last step that came; at the end
  bool ended_ = false;              // the run's last step came
};

// Takes out every unit of which nothing but 0 arrives at the next layer of all channels: weights and
// bias 0, and gamma and beta of batch norms that follow; or a depthwise convolution between whose
// kernel, bias and batch norm are 0 there. Shapes shrink through pooling, relu, dropout, batch norm,
// depthwise convolution and flatten up to that layer. The model computes the same, to rounding:
// sums may be taken in another order.
// input: the shape of one image [H W C] or [F], for flatten. Optimizers are to be bound anew.
// Returns how many went. Errors: kUsage when passes are not baked.
std::int64_t remove_zero_units(Sequential& model, const Shape& input);

}  // namespace espalier::prune
