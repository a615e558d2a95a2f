// A packed model as an exporter wants it: every layer with its shapes and grids, a name that is an
// identifier, and the float32 multipliers of compress/INTEGERS.md. One walk, one set of refusals.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::exports {

using Shape = std::array<std::int64_t, 3>;  // H W C of one image

constexpr std::int64_t elements(const Shape& s) {
  return s[0] * s[1] * s[2];
}

struct Step {
  const format::PackedLayer* layer;
  std::string name;  // of letters, digits and _, another for each step: "conv1"
  Shape in, out;
  format::ActivationGrid from, to;  // both float in float models; `to` is float at the logits
  // Convolution and dense of levels: one a channel, without any zero-point constant.
  std::vector<std::int32_t> bias;
  // Of these, to the output grid or to the logits: one, or one a channel.
  std::vector<float> multiplier;

  bool is_logits() const { return !from.is_float() && to.is_float(); }
};

struct Network {
  const format::PackedModel* model;  // outlives this
  std::vector<Step> steps;           // one a layer
  bool is_float() const { return model->input.is_float(); }
  std::int64_t classes() const { return elements(steps.back().out); }
  std::string label(std::int64_t i) const;
};

// Errors: kUsage, naming the layer and the remedy, for a model that does not keep FORMAT.md's rules
// and for one that mixes floats and levels.
Network network_of(const format::PackedModel& model);

// The level of each pixel 0..255, by INTEGERS.md. For integer models.
std::array<std::uint8_t, 256> pixel_levels(const format::PackedModel& model);

// pixel_levels without floats: level = clamp((pixel * mul + add) >> shift, 0, 127).
struct PixelFormula {
  std::int32_t mul = 0, add = 0;
  int shift = 0;  // 0: no such numbers were found; take the table
};
PixelFormula pixel_formula(const std::array<std::uint8_t, 256>& levels);

// "conv-1" -> "conv_1", "3x3" -> "_3x3"; `otherwise` for a text without any letter or digit.
std::string identifier(std::string_view text, std::string_view otherwise);

// "[28 28 1]"
std::string text_of(const Shape& shape);

}  // namespace espalier::exports
