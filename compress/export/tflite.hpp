// A model for LiteRT (TensorFlow Lite). Levels become int8 of the same numbers, weights int8 with a
// scale a channel, biases int32; floats stay. The engine requantizes in its own way: the answers
// agree, the bits need not.
#pragma once

#include <string>

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::exports {

struct TfliteOptions {
  std::string name = "model";  // of the graph
};

// The graph takes float32 [batch H W C] of x = (pixel / 255 - mean) / deviation and gives the logits,
// float32 [batch classes]; the description, JSON, holds "input", the transform, and "labels". A
// file with integers computes its last layer in float32 of the levels: no grid for logits is known.
// Activations may be partly floats, partly levels. Errors: kUsage, as network_of(), and for average
// pools whose padding .tflite cannot say.
Bytes tflite(const format::PackedModel& model, const TfliteOptions& options = {});

}  // namespace espalier::exports
