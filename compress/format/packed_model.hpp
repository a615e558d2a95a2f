// What an .esp file says, as plain records: written by pack, stored by format, run by runtime.
// Integer semantics: compress/INTEGERS.md.
#pragma once

#include <array>
#include <cstdint>
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
  kFlatten = 6,  // [H W C] to [H*W*C]
};

// real = scale * (level - zero_point), level in [0, 127]. scale 0: float32 activations.
struct ActivationGrid {
  float scale = 0;
  std::int32_t zero_point = 0;
  bool is_float() const { return scale == 0; }
  bool operator==(const ActivationGrid&) const = default;
};

// Weights as stored: float32 values, or signed levels with one scale per output channel.
struct StoredWeight {
  std::vector<std::int64_t> shape;  // [O KH KW I] or [OUT IN]
  std::int32_t bits = 32;     // 32: `values`; 2 to 8: `levels` in [-(2^(bits-1)-1), 2^(bits-1)-1]
  std::vector<float> values;  // bits == 32
  std::vector<std::int8_t> levels;  // bits <= 8
  std::vector<float> scales;        // bits <= 8: one, or one per output channel; each > 0
  bool is_float() const { return bits == 32; }
  bool operator==(const StoredWeight&) const = default;
};

struct PackedLayer {
  LayerKind kind = LayerKind::kDense;
  std::string name;  // "conv1"; may be empty

  // Convolution and pooling.
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  // Convolution and dense. Float weights go with `bias`, levels with `bias_levels` << `bias_shift`
  // at the scale (input scale * weight scale), without any zero-point constant. Either may be
  // empty.
  StoredWeight weight;
  std::vector<float> bias;
  std::vector<std::int32_t> bias_levels;
  std::int32_t bias_shift = 0;

  // Batch norm alone: float y = x * multiplier + offset; between levels
  // q_y = clamp(rint(float(q_x - z_x) * multiplier + offset) + z_y), both already divided by the
  // output scale.
  std::vector<float> multiplier, offset;

  bool relu = false;  // fused after convolution, dense, batch norm

  // The grid that this layer's output lies on; float for float layers and for the last (logits).
  // Pooling, relu and flatten keep their input's grid.
  ActivationGrid output;

  bool operator==(const PackedLayer&) const = default;
};

struct PackedModel {
  std::array<std::int64_t, 3> input_shape{};  // H W C (a flat input: 1 1 C)
  // Pixels 0..255 to the reals that the network saw in training: x = (pixel / 255 - mean) /
  // deviation.
  float input_mean = 0, input_deviation = 1;
  ActivationGrid input;             // float for float models
  std::vector<std::string> labels;  // empty: "0", "1", ...
  std::vector<PackedLayer> layers;  // in order; at least one
  bool operator==(const PackedModel&) const = default;
};

}  // namespace espalier::format
