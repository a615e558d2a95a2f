// After training, without data: other types for the weights that a packed model stores as float32.
// What computes in floats goes on doing so: they become float32 again when the model is made ready
// to run. Layers whose weights are levels already are left alone, and so are layers named in
// `.keep`.
#pragma once

#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::pack {

// A row of the report: a layer with parameters that stayed float32, and why.
struct StaysFloat32 {
  std::string layer, reason;
};

struct Float16Options {
  std::vector<std::string> keep = {};  // these layers stay float32, by name
};
// Weights and biases of convolutions and dense layers to IEEE binary16, nearest, half to even:
// 2^-11 of a value at most. Batch norm stays float32 (two numbers a channel), and so does a layer
// with a value that 16 bits do not reach (65,504). Errors: kUsage for a name that no such layer
// has.
std::vector<StaysFloat32> to_float16(format::PackedModel& model,
                                     const Float16Options& options = {});

struct DynamicRangeOptions {
  int bits = 8;                        // 2 to 8 a weight
  bool per_channel = true;             // a scale for each output channel, or one for the tensor
  std::vector<std::string> keep = {};  // these layers stay float32, by name
};
// Dynamic range: weights to signed levels, symmetric, at a scale of the largest magnitude (its
// mantissa shortened upward to four bits, which a file stores in a byte); biases and activations
// stay float32. TFLite's kernels of this name also round each row of activations to 8 bits as they
// run; here weights alone are rounded. Errors: as above; bits out of range.
std::vector<StaysFloat32> to_dynamic_range(format::PackedModel& model,
                                           const DynamicRangeOptions& options = {});

}  // namespace espalier::pack
