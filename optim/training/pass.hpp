// A compression pass: a transform of weights (and of activations) that rides in training. Layers do
// not know of it.
#pragma once

#include <cstdint>

#include "layers/layer.hpp"

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

class Pass {
 public:
  virtual ~Pass() = default;
  // Adds transforms to the model's parameters, taps to its layers. The model must outlive the pass,
  // or bake() must come first.
  virtual void attach(Layer& model) = 0;
  // Called before the forward pass of every step.
  virtual void step(const StepInfo& info) = 0;
  // Writes what the transforms compute into the parameters and takes the transforms off. Changes no
  // bit of the forward pass. Of several passes the last attached is baked first.
  virtual void bake() = 0;
};

}  // namespace espalier::training
