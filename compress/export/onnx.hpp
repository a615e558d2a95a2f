// A model for ONNX Runtime and other engines, opset 17. Float models as they are; levels as
// QuantizeLinear/DequantizeLinear pairs around float operators, weights int8 with a scale a
// channel, biases int32. Engines round in their own ways: the answers agree, the bits need not.
#pragma once

#include <string>

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::exports {

struct OnnxOptions {
  std::string name = "model";  // of the graph
};

// The graph takes "image", float32 [batch C H W], of x = (pixel / 255 - mean) / deviation, and gives
// "logits", float32 [batch classes]. The metadata holds "labels", a JSON list, and "input", the
// transform. Activations may be partly floats, partly levels. Errors: kUsage, as network_of().
Bytes onnx(const format::PackedModel& model, const OnnxOptions& options = {});

}  // namespace espalier::exports
