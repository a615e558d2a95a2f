// What follows from a validation loss that falls no more: a lower learning rate (a plateau schedule),
// or the end of training, with the weights that had the lowest (early stopping; Prechelt 1998).
#pragma once

#include <map>
#include <string>

#include "layers/layer.hpp"
#include "optim/training/pass.hpp"

namespace espalier::training {

struct WatchOptions {
  int stop_after = 0;        // epochs in a row without a lower loss; 0: never
  int drop_after = 0;        // likewise, until the learning rate drops; 0: never
  float drop_factor = 0.1f;  // by this, above 0 and below 1
  bool operator==(const WatchOptions&) const = default;
};

class Watch {
 public:
  // Keeps a copy of the model's values where it may stop. Errors: kUsage for options out of range.
  Watch(WatchOptions options, Layer& model);

  // The validation loss with the model's values of now. One that is NaN is not lower.
  void after_epoch(double loss);

  bool stopped() const { return counts_.data<std::int32_t>()[2] != 0; }
  float rate() const { return numbers_.data()[1]; }  // times the learning rate
  // Where it may stop: puts the best values into the model.
  void restore_best();

  // What a checkpoint must hold: "numbers", "counts", "best.conv1.weight".
  void visit_state(const StateVisitor& visitor);
  std::string settings() const;

 private:
  WatchOptions options_;
  Layer& model_;
  Tensor numbers_{{2}};                 // the lowest loss, the rate
  Tensor counts_{{3}, DType::kInt32};   // epochs since the lowest, since it or a drop; stopped?
  std::map<std::string, Tensor> best_;  // parameters and state by name
};

}  // namespace espalier::training
