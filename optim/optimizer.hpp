// Optimizers move parameters against their gradients. A step reads gradients and writes parameters
// and its own state; it never changes a gradient. Parameters without a gradient are left alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/autograd/variable.hpp"

namespace espalier::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // `rate` scales the learning rate: the schedule's value, in [0, 1].
  // Returns false when a gradient holds a NaN or infinity: no weight of its block (a thousand or so)
  // has moved, some of the others have. The run is over: it diverged.
  virtual bool step(float rate = 1) = 0;
  void clear_gradients();

  // Hands out the running state: "mean.0" belongs to the first parameter, "steps" to all.
  using StateVisitor = std::function<void(const std::string& name, Tensor&)>;
  virtual void visit_state(const StateVisitor& visitor) = 0;

  // Drops the momentum of removed weights: multiplies the state of this parameter by `mask` (1
  // keeps, 0 drops; the parameter's shape), so that a weight that comes back starts afresh. Errors:
  // the parameter is not this optimizer's, or the shape differs.
  void clear_state(const Variable& parameter, const Tensor& mask);

 protected:
  virtual std::vector<Tensor*> state_of(std::size_t index) = 0;
  // The variables must be leaves that need a gradient.
  explicit Optimizer(std::vector<Variable> parameters);
  std::vector<Variable> parameters_;
};

// d = g + weight_decay w;   v = momentum v + d;   w -= rate learning_rate v
// Nesterov's (Sutskever et al. 2013): w -= rate learning_rate (d + momentum v)
class Sgd final : public Optimizer {
 public:
  struct Options {
    float learning_rate = 0.01f;  // > 0
    float momentum = 0;           // [0, 1)
    float weight_decay = 0;       // >= 0
    bool nesterov = false;
  };
  Sgd(std::vector<Variable> parameters, Options options);
  bool step(float rate = 1) override;
  void visit_state(const StateVisitor& visitor) override;

 private:
  std::vector<Tensor*> state_of(std::size_t index) override { return {&velocity_[index]}; }
  Options options_;
  std::vector<Tensor> velocity_;
};

// Kingma & Ba 2015, algorithm 1: m, v = running means of g and g^2, corrected for their start at 0;
// w -= rate learning_rate (m / (sqrt(v) + epsilon) + weight_decay w)
// The decay beside the gradient, not within it, makes it AdamW (Loshchilov & Hutter 2019, algorithm
// 2). It is all parameters', biases' too.
class Adam final : public Optimizer {
 public:
  struct Options {
    float learning_rate = 1e-3f;  // > 0
    float beta1 = 0.9f;           // [0, 1)
    float beta2 = 0.999f;         // [0, 1)
    float epsilon = 1e-7f;        // > 0
    float weight_decay = 0;       // >= 0
  };
  Adam(std::vector<Variable> parameters, Options options);
  bool step(float rate = 1) override;
  void visit_state(const StateVisitor& visitor) override;

 private:
  std::vector<Tensor*> state_of(std::size_t index) override {
    return {&mean_[index], &square_[index]};
  }
  Options options_;
  std::vector<Tensor> mean_, square_;
  Tensor steps_{{1}, DType::kInt32};
};

}  // namespace espalier::optim
