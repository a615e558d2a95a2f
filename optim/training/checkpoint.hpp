// A training run in one file (core/archive: the safetensors layout, written atomically), complete
// enough that a resumed run computes the same bits as one that was never stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/warn.hpp"
#include "layers/layer.hpp"
#include "optim/optimizer.hpp"
#include "optim/training/pass.hpp"
#include "optim/training/watch.hpp"

namespace espalier::training {

// What a run consists of. Tensors are named "model.conv1.weight", "optimizer.mean.0",
// "pass.0.dense.weight.mask"; the rest is in the metadata.
struct RunState {
  Layer& model;
  optim::Optimizer& optimizer;
  const std::vector<Pass*>& passes;
  std::map<std::string, Rng*> streams;  // their positions are kept
  std::int64_t& step;                   // steps done
  Watch* watch;                         // may be null; its tensors are named "watch.numbers"
  // What must agree for the two to be one run: batch size, number of images, seed...
  std::map<std::string, std::string> settings;
  std::map<std::string, double*> sums = {};  // of the epoch under way; 0 in a file without them
};

// The calling thread's machine() goes into the metadata, as "machine.isa" and so on. Errors: kIo; kUsage
// when a pass cannot be resumed.
void save_checkpoint(const RunState& run, const std::filesystem::path& path);
// What that file would hold.
Bytes encode_checkpoint(const RunState& run);

// Checks the checksum of all names, texts and values in the file (an older one has none), every name, shape and setting
// before it changes anything. On another machine() than the file's
// the run goes on all the same, and `warn` hears that its bits will be others and why; of a file
// without one (they are older) that nobody knows. Errors: kIo; kCorrupt; kUsage, naming what is missing,
// different or too much and both values.
void load_checkpoint(const RunState& run, const std::filesystem::path& path,
                     const Warn& warn = warn_on_standard_error);

// How many steps the run of such a file had done. Errors: kIo; kCorrupt, as above.
std::int64_t steps_done(const std::filesystem::path& path);

// What the bits of a training step depend on beside the run itself: "isa" (oneDNN's, after its cap),
// "vector_isa" (of our own kernels), "onednn" (its version), "threads" and "precision", of the calling
// thread.
std::map<std::string, std::string> machine();

}  // namespace espalier::training
