// Weight clustering while the model trains (Han et al. 2016, "Deep Compression", section 3): every
// weight of a tensor is one of k values. The file stores the values once (palettes, FORMAT.md).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "compress/cluster/centroids.hpp"
#include "core/autograd/variable.hpp"
#include "layers/layer.hpp"
#include "optim/optimizer.hpp"
#include "optim/training/pass.hpp"

namespace espalier::cluster {

// How the gradients of a cluster's weights become that of its centroid.
enum class GradientRule { kSum, kAverage };

class WeightClustering final : public training::Pass {
 public:
  struct Options {
    int clusters = 16;  // 2 to 254: values of a tensor, zero included where it is pinned
    Init init = Init::kKMeansPlusPlus;
    GradientRule gradient = GradientRule::kSum;
    bool per_channel = false;  // `clusters` for each output channel
    // Zeros stay zeros, and one of the values is 0: for pruned models.
    bool preserve_sparsity = false;
    // >= 0: what a bit of a weight costs, in mean squares of the tensor's weights. A weight then takes
    // the centroid of least (w - c)^2 + price * mean square * bits(c), with bits from a running
    // histogram of the clusters: the frequent ones draw weights, and the file gets smaller.
    float bit_price = 0;
    float learning_rate = 1e-4f;  // of the centroids (Adam), > 0
    // Which parameters; none: those of at least two axes.
    std::function<bool(const std::string& name, const Parameter& parameter)> select = nullptr;
    std::uint64_t seed = 1;
  };
  explicit WeightClustering(Options options);
  WeightClustering(const WeightClustering&) = delete;  // the transforms point back
  WeightClustering& operator=(const WeightClustering&) = delete;

  // Errors: kUsage when nothing was selected.
  void attach(Layer& model) override;
  void step(const training::StepInfo& info) override;
  void after_step(const training::StepInfo& info, optim::Optimizer& optimizer) override;
  std::string wants_whole_batches() const override { return "weight clustering"; }
  // Centroids, their shares and optimizer, masks.
  bool visit_state(const training::StateVisitor& visitor) override;
  // Writes the centroids into the weights. Quantization-aware training beside this pass is attached
  // after it and baked before it, and has then written them rounded. Errors: kInternal when a tensor
  // (a channel) then holds more values than its clusters.
  void bake() override;

 private:
  struct Target {
    std::string name;
    Parameter* parameter;
    std::size_t groups;  // output channels, or 1
    Variable centroids;  // [groups x values], ascending in each group
    Tensor mask;         // 1 where the weight may be other than 0
    Tensor shares;       // [groups x values]: of a group's weights that choose each centroid
    double price;        // of a bit, in squared units of the weights; 0: the nearest is chosen
  };
  void observe(Target& target) const;  // the shares, as the weights now choose
  void add(const std::string& name, Parameter& parameter);
  Variable clustered(const Target& target, const Variable& w) const;

  Options options_;
  std::deque<Target> targets_;  // transforms point into it
  std::unique_ptr<optim::Adam> optimizer_;
};

}  // namespace espalier::cluster
