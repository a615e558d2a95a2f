// Data-parallel training in one process: a batch is split into parts, each of which goes forward and
// backward on a thread of its own, with the same weights; their gradients are added in the order of
// the parts. Networks whose kernels are too small to be shared by threads gain so. What comes out
// depends on the number of parts alone: not on that of threads, nor on which of them is done first.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/rng.hpp"
#include "core/base/workers.hpp"
#include "core/kernels/precision.hpp"
#include "layers/layer.hpp"
#include "optim/training/loss.hpp"

namespace espalier::training {

// What the forward and backward pass over a batch came to.
struct BatchLoss {
  float task = 0;            // of the loss, the mean over the batch
  float total = 0;           // with the passes' terms
  std::int64_t correct = 0;  // images whose label was right; 0 of data with targets
};

// Errors: kUsage, naming the layer, of more than one part for a model with state, which each part would
// move on its own (batch norm's statistics), or with taps, which may.
void require_parts(Layer& model, int parts);

class BatchParts {
 public:
  // As many threads run parts at once as the calling thread may use (core/onednn/threads.hpp), each with
  // one for its kernels. `loss`: a mean over examples, which threads may call at once. The model
  // outlives this. Errors: require_parts().
  BatchParts(Layer& model, Loss loss, int parts);

  // Adds the gradients of the mean loss over the batch to the parameters' own. A batch of fewer images than
  // parts has as many parts as images; parts differ by one image at most. Dropout draws what it draws
  // for the whole batch. Errors: those of the model and the loss, of several parts the first one's.
  BatchLoss run(const datasets::Batch& batch, Rng& dropout);

 private:
  struct Part {
    datasets::Batch batch;
    LeafGradients gradients;
    double loss = 0;  // its share of the batch's
    std::int64_t correct = 0;
    std::uint64_t drawn = 0;  // where the dropout stream then stands
  };
  void run_part(int number);
  void add_gradients();  // of the parts, to the parameters' own

  Layer& model_;
  Loss loss_;
  std::vector<Part> parts_;
  Workers workers_;
  std::function<void(int)> run_part_;
  const datasets::Batch* batch_ = nullptr;  // of the step under way
  const Rng* dropout_ = nullptr;
  int count_ = 0;  // parts of it
  kernels::Precision precision_ = {};
};

}  // namespace espalier::training
