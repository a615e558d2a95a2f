// What an .esp file says, as plain records: written by pack, stored by format, run by runtime.
// Integer semantics: compress/INTEGERS.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::format {

enum class LayerKind : std::uint8_t {
  kConv2d = 0,         // weight [O KH KW I], bias [O], window, relu
  kDense = 1,          // weight [OUT IN], bias [OUT], relu
  kMaxPool2d = 2,      // window
  kAveragePool2d = 3,  // window; padding is excluded
  kBatchNorm = 4,      // multiplier [C], offset [C], relu
  kRelu = 5,
  kFlatten = 6,          // [H W C] to [H*W*C]
  kDepthwiseConv2d = 8,  // weight [C KH KW 1], bias [C], window, relu: a kernel for each channel
  kResidual = 9,         // the sum of two stages of one shape, relu
};

inline bool has_window(LayerKind kind) {
  return kind == LayerKind::kConv2d || kind == LayerKind::kDepthwiseConv2d ||
         kind == LayerKind::kMaxPool2d || kind == LayerKind::kAveragePool2d;
}
inline bool has_weight(LayerKind kind) {
  return kind == LayerKind::kConv2d || kind == LayerKind::kDepthwiseConv2d ||
         kind == LayerKind::kDense;
}
// Whether what it yields may lie on another grid than what it takes.
inline bool moves(LayerKind kind) {
  return has_weight(kind) || kind == LayerKind::kBatchNorm || kind == LayerKind::kResidual;
}

constexpr auto kEnd = static_cast<LayerKind>(7);  // in a file: of the list of layers

// real = scale * (level - zero_point), level in [0, 127]. scale 0: float32 activations.
struct ActivationGrid {
  float scale = 0;
  std::int32_t zero_point = 0;
  bool is_float() const { return scale == 0; }
  bool operator==(const ActivationGrid&) const = default;
};

// Weights as stored: float values, or signed levels with one scale per output channel.
struct StoredWeight {
  std::vector<std::int64_t> shape;  // [O KH KW I] or [OUT IN]
  // 32: `values`; 16: `values` that a binary16 holds (half.hpp); 2 to 8: `levels` in
  // [-(2^(bits-1)-1), 2^(bits-1)-1].
  std::int32_t bits = 32;
  std::vector<float> values;        // bits 16 and 32
  std::vector<std::int8_t> levels;  // bits <= 8
  std::vector<float> scales;        // bits <= 8: one, or one per output channel; each > 0
  bool is_float() const { return bits == 16 || bits == 32; }
  bool operator==(const StoredWeight&) const = default;
};

struct PackedLayer {
  LayerKind kind = LayerKind::kDense;
  std::string name;  // "conv1"; may be empty

  // How many stages back lies what the layer reads (wiring.hpp): 1 is what the layer before yields.
  std::int64_t from = 1;
  std::int64_t with = 0;  // residual alone: the other summand, likewise

  // Convolution and pooling.
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  // Convolution and dense. Levels whose input is levels (takes_levels below) go with `bias_levels`
  // << `bias_shift` at the scale (input scale * weight scale), without any zero-point constant; all
  // others compute in floats, with `bias`, of 16 bits if the weights are. Either may be empty.
  StoredWeight weight;
  std::vector<float> bias;
  std::vector<std::int32_t> bias_levels;
  std::int32_t bias_shift = 0;

  // Batch norm alone: float y = x * multiplier + offset; where input and output are levels
  // q_y = clamp(rint(float(q_x - z_x) * multiplier + offset) + z_y), both already divided by the
  // output scale.
  std::vector<float> multiplier, offset;

  bool relu = false;  // fused after convolution, dense, batch norm, residual

  // The grid that this layer's output lies on; float where the next layer takes floats and for the
  // last (logits). Pooling, relu and flatten keep their input's grid.
  ActivationGrid output;

  bool operator==(const PackedLayer&) const = default;
};

// Whether a layer computes with integers, given the grid of its input (compress/INTEGERS.md). A
// float layer first turns levels into floats, and quantizes what it computes if its output has a
// grid. Pools, relu and flatten follow their input. Both summands of an integer residual are levels.
inline bool takes_levels(const PackedLayer& layer, const ActivationGrid& input) {
  if (layer.kind == LayerKind::kBatchNorm || layer.kind == LayerKind::kResidual)
    return !input.is_float() && !layer.output.is_float();
  return !input.is_float() && !(has_weight(layer.kind) && layer.weight.is_float());
}
// The grid behind a layer, given the one before it.
inline ActivationGrid grid_behind(const PackedLayer& layer, const ActivationGrid& input) {
  return moves(layer.kind) ? layer.output : input;
}

// The weights as a float layer multiplies them: 16-bit floats widened, levels times their scales,
// each product rounded to float32.
inline std::vector<float> float_weights(const StoredWeight& weight) {
  if (weight.is_float()) return weight.values;
  const std::size_t inputs = weight.levels.size() / static_cast<std::size_t>(weight.shape[0]);
  std::vector<float> values;
  values.reserve(weight.levels.size());
  for (std::size_t i = 0; i < weight.levels.size(); ++i)
    values.push_back(static_cast<float>(weight.levels[i]) *
                     weight.scales[weight.scales.size() == 1 ? 0 : i / inputs]);
  return values;
}

// Mean and deviation of a column of a table, over the rows of the training.
struct Scaling {
  float mean = 0, deviation = 1;
  bool operator==(const Scaling&) const = default;
};

struct PackedModel {
  std::array<std::int64_t, 3> input_shape{};  // H W C (a flat input: 1 1 C)
  // Pixels 0..255 to the reals that the network saw in training: x = (pixel / 255 - mean) /
  // deviation.
  float input_mean = 0, input_deviation = 1;
  // Of a network for rows of a table, one for each of the input's channels: the network sees
  // clamp(0.5 + (value - mean) / (8 deviation), 0, 1), and 0.5 where the deviation is 0. Else empty.
  std::vector<Scaling> columns;
  // What the table's header calls these columns, each other than the rest, and the column of the
  // classes or of the number. Without a header both are empty.
  std::vector<std::string> column_names;
  std::string label_name;
  // Of a network with one output that stands for a number: mean + deviation * output. None: an
  // output for each class.
  std::optional<Scaling> target;
  ActivationGrid input;             // float for float models
  std::vector<std::string> labels;  // empty: "0", "1", ...
  std::vector<PackedLayer> layers;  // in order; at least one
  bool operator==(const PackedModel&) const = default;
};

}  // namespace espalier::format
