// A trained model as the integers that will run, while the layers are still at hand: pack writes
// it, and evaluate() is the trainer's own account of what the runtime must compute.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/quantize/grid.hpp"
#include "layers/sequential.hpp"

namespace espalier::quantize {

struct IntegerLayer {
  std::string name;
  const Layer* layer = nullptr;  // convolution, dense, batch norm, pooling, flatten or a lone relu
  // Convolution and dense:
  int bits = 8;
  std::vector<std::int8_t> levels = {};        // as the weight: [O KH KW I] or [OUT IN]
  std::vector<float> scales = {};              // an output channel
  std::vector<std::int32_t> bias_levels = {};  // an output channel
  // Batch norm, a channel: q_y = clamp(rint(float(q_x - z_x) * multiplier + offset) + z_y).
  std::vector<float> multiplier = {}, offset = {};
  // Convolution, dense and batch norm:
  bool relu = false;                          // fused: the next layer was a relu
  std::optional<ActivationGrid> output = {};  // none: float32 logits
};

struct IntegerNetwork {
  ActivationGrid input;
  std::vector<IntegerLayer> layers;
};

// Logits [N K] of images [N H W C], 0..1, by the integer specification: levels carried in float32,
// which holds every sum exactly. Errors: kUsage when the images do not fit the first layer.
Tensor evaluate(const IntegerNetwork& network, const Tensor& images);

}  // namespace espalier::quantize
