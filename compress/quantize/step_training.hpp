// What moves learned steps: SGD with momentum 0.9, as in Esser et al. 2020, beside the optimizer of
// the weights.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "optim/optimizer.hpp"
#include "optim/training/pass.hpp"

namespace espalier::quantize {

class StepTraining {
 public:
  // which: their name in checkpoints. No steps: nothing.
  void add(const std::string& which, const std::vector<Variable>& steps, float learning_rate);
  void clear_gradients();
  // Steps stay positive; one that is 0 has no value yet, and stays without. Errors: kDiverged.
  void step();
  void visit_state(const training::StateVisitor& visitor);

 private:
  struct Group {
    std::vector<Variable> steps;
    optim::Sgd optimizer;
  };
  std::map<std::string, Group> groups_;
};

}  // namespace espalier::quantize
