// Training: the loop over epochs and batches on one screen (fit.cpp).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/warn.hpp"
#include "datasets/dataset.hpp"
#include "layers/layer.hpp"
#include "optim/optimizer.hpp"
#include "optim/schedule.hpp"
#include "optim/training/evaluate.hpp"
#include "optim/training/loss.hpp"
#include "optim/training/pass.hpp"
#include "optim/training/watch.hpp"

namespace espalier::training {

struct EpochReport {
  double loss = 0;  // mean over the epoch's images, as they were seen; without the passes' terms
  double accuracy = 0;  // fraction of them that was right when it was seen
  double seconds = 0;
  double waited = 0;  // seconds of them, for batches that were not ready
  float rate = 0;     // of its steps' learning rates the mean, as a share of the optimizer's
  int epoch = 0;      // from 1
  std::optional<Evaluation> validation;  // after the epoch, when FitOptions::validation is set
};

struct StepReport {
  StepInfo info;
  double loss = 0;  // of the batch, with the passes' terms
};

struct FitOptions {
  int epochs = 1;                // >= 1
  std::int64_t batch_size = 32;  // >= 1; the last batch of an epoch may be smaller
  float learning_rate = 1e-3f;   // of the default optimizer, times the schedule
  optim::Schedule schedule = optim::constant();
  std::uint64_t seed = 1;       // of shuffling and dropout
  std::string label = "train";  // what the progress line says
  bool quiet = false;           // nothing on standard error
  // Makes the optimizer of these parameters; none: Adam at learning_rate.
  std::function<std::unique_ptr<optim::Optimizer>(std::vector<Variable>)> optimizer = nullptr;
  // What an epoch (from 1) trains on in place of `data`, of the same size: augmentation. None:
  // data.
  std::function<std::shared_ptr<const datasets::Dataset>(int epoch)> epoch_data = nullptr;
  // A scalar, the mean over the batch, from logits [N K]; none: cross-entropy with the labels, or
  // with the targets of data that has these the mean squared error.
  Loss loss = nullptr;  // loss.hpp has some
  // Parts of each batch, 1 to 1024, that go forward and backward at once, each on a thread of its own, as
  // far as the calling thread may use several (batch_parts.hpp). 1: the whole batch, and threads share
  // the work of each kernel where it is large enough.
  int parts = 1;
  // Of `loss`: it is a mean over examples, and threads may call it at once, each with a part of the batch.
  // A loss of the caller's wants it for parts > 1.
  bool loss_of_parts = false;
  const datasets::Dataset* validation = nullptr;  // evaluated after each epoch
  // What its loss decides; wants validation. A run that it ends has the best epoch's weights, so has
  // one that comes to its last epoch, where it might have ended before.
  std::optional<WatchOptions> watch = {};
  std::function<void(const StepReport&)> on_step = nullptr;
  // Asked after each step; true ends the run there, without a checkpoint: a look at how it begins.
  std::function<bool()> stop_when = nullptr;
  // Called before the checkpoint is written; false stops the run.
  std::function<bool(const EpochReport&)> on_epoch_end = nullptr;
  // Written after each epoch and where Ctrl-C stops the run; where it exists, the run goes on from it,
  // in the middle of an epoch, too. Empty: none.
  std::filesystem::path checkpoint = {};
  // Without a checkpoint: gets what one would hold where Ctrl-C stops the run, and at the end of it;
  // nothing with a pass that cannot be resumed.
  Bytes* last_state = nullptr;
  // Hears when the run goes on from a checkpoint but to other bits (checkpoint.hpp).
  Warn warn = warn_on_standard_error;
};

// Trains on FitOptions::loss. Attaches the passes in their order, then binds the optimizer; leaves
// them attached: bake() is the caller's. Returns the epochs that this call trained. Errors: kUsage
// for options out of range, for parts where a layer, the loss or a pass wants whole batches, or for a
// checkpoint of another run; kDiverged, naming epoch, batch and
// layer, in the very step in which the loss or a gradient is not finite; kInterrupted between two
// steps when interrupted() (core/base/interrupt.hpp), with the checkpoint written.
std::vector<EpochReport> fit(Layer& model, const datasets::Dataset& data, const FitOptions& options,
                             const std::vector<Pass*>& passes = {});

}  // namespace espalier::training
