// A compression pass: a transform of weights (and of activations) that rides in training. Layers do
// not know of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "layers/layer.hpp"
#include "optim/optimizer.hpp"

namespace espalier::training {

// Where the run stands. The first step has progress 0, the last 1 (a run of one step: 1).
struct StepInfo {
  std::int64_t step = 0, total_steps = 1;
  float progress() const {
    return total_steps < 2 ? 1.0f
                           : static_cast<float>(static_cast<double>(step) /
                                                static_cast<double>(total_steps - 1));
  }
  bool last() const { return step + 1 == total_steps; }
};

using StateVisitor = std::function<void(const std::string& name, Tensor&)>;

class Pass {
 public:
  virtual ~Pass() = default;
  // Adds transforms and parameters to the model, taps to its layers. The model must outlive the
  // pass, or bake() must come first. The optimizer is bound afterwards.
  virtual void attach(Layer& model) = 0;
  // Called before the forward pass of every step.
  virtual void step(const StepInfo& info) = 0;
  // A scalar that this step adds to the loss; undefined: nothing. Called after the forward pass.
  virtual Variable loss(const StepInfo&) { return {}; }
  // Called after the optimizer has moved the parameters. The optimizer's state is there to be read
  // (visit_state), and to be dropped where a weight was removed (clear_state).
  virtual void after_step(const StepInfo&, optim::Optimizer&) {}
  // Whether its forward pass wants whole batches: as an error names the pass, "quantization". Empty: its
  // transforms compute from the parameter alone and change nothing, so that threads may run them at once
  // on parts of a batch (FitOptions::parts).
  virtual std::string wants_whole_batches() const { return "a pass"; }
  // Hands out every tensor that a checkpoint must hold so that a resumed run computes the same
  // bits. False: this pass cannot be resumed, and fit() refuses to write checkpoints.
  virtual bool visit_state(const StateVisitor&) { return false; }
  // Writes what the transforms compute into the parameters and takes the transforms off. Changes no
  // bit of the forward pass. Of several passes the last attached is baked first.
  virtual void bake() = 0;
};

}  // namespace espalier::training
