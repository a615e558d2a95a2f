// How a plan chooses, and what it says about its choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace espalier::runtime {

// Which kernel runs an integer convolution or dense layer. Whatever is chosen, the integers are the
// same; float layers have one kernel each.
enum class Kernels {
  kFixed,  // by shape, zeros and instruction set alone: the same choice every time
  kLean,  // so, but for one image with the least memory: no oneDNN; dense layers as they lie unless they
  // are sparse, or large and of a session's own model, whose lines for active inputs are as small
  kTimed,      // the fastest of those that fit, timed when the plan is made; when inputs of 0 are
               // left out instead is a rule's choice even so
  kOneDnn,     // oneDNN's wherever there is one
  kBlocks,     // ours for blocks of 16 x 4, wherever it fits
  kScattered,  // ours for single weights, wherever it fits
  kRows,       // ours for dense layers as they lie
  kPlanes,     // ours for convolutions of single weights, wherever it fits
  kActive,     // ours that leaves out inputs of 0, all but depthwise
  kDepthwise,  // ours for depthwise convolutions
};

// One step of a plan. MACs and bytes are those of a run with the plan's batch.
struct PlannedStep {
  std::size_t first = 0, layers = 0;  // none: the images' way to the input grid
  std::string_view kernel;
  std::int64_t macs = 0;     // multiplied, zeros within blocks included
  std::int64_t skipped = 0;  // of the layer's MACs (costs.hpp), not multiplied
  std::int64_t bytes = 0;    // of weights as the kernel reads them, activations in and out
  double us = 0;             // median; 0 until timed
};

}  // namespace espalier::runtime
