// A trained model as the integers that will run, while the layers are still at hand: pack writes
// it, and evaluate() is the trainer's own account of what the runtime must compute.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compress/quantize/grid.hpp"
#include "layers/sequential.hpp"

namespace espalier::quantize {

struct IntegerLayer {
  std::string name;
  const Layer* layer = nullptr;  // all but dropout; relu only where it is not fused
  bool is_float = false;         // stays in float: its input and its sums are real numbers
  // How many stages back it reads, and a residual's other summand lies: 1 is the layer before.
  std::size_t from = 1, with = 0;
  // Convolution and dense:
  int bits = 8;
  std::vector<std::int8_t> levels = {};  // as the weight: [O KH KW I], [C KH KW 1] or [OUT IN]
  std::vector<float> scales = {};        // an output channel
  std::vector<std::int32_t> bias_levels = {};  // an output channel
  std::vector<float> values = {}, bias = {};   // if is_float, in place of levels
  // Batch norm, a channel: of floats y = x * multiplier + offset, else q_y = clamp(rint(float(q_x -
  // z_x) * multiplier + offset) + z_y).
  std::vector<float> multiplier = {}, offset = {};
  // Convolution, dense, batch norm and residual:
  bool relu = false;                          // fused: the next layer was a relu
  std::optional<ActivationGrid> output = {};  // none: float32, for a float layer or as logits
  // A layer of a kind that has no record (pack refuses it): floats to floats.
  std::function<Tensor(const Tensor&)> forward = nullptr;
};

struct IntegerNetwork {
  std::optional<ActivationGrid> input;  // none: the images stay float32
  std::vector<IntegerLayer> layers;
};

// Logits [N K] of images [N H W C], 0..1, by the integer specification: levels carried in float32,
// which holds every sum exactly, and float layers summed in float64 and in order
// (core/kernels/ordered_product.hpp): the executors' bits, if any layer is one of integers. Errors:
// kUsage when the images do not fit the first layer.
Tensor evaluate(const IntegerNetwork& network, const Tensor& images);

}  // namespace espalier::quantize
