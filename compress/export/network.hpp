// A packed model as an exporter wants it: every layer with its shapes and grids, a name that is an
// identifier, and the float32 multipliers of compress/INTEGERS.md. One walk, one set of refusals.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
  // Stages (format/wiring.hpp): what it reads; a residual's other summand, and its grid.
  std::size_t input, other;
  format::ActivationGrid also;
  // Convolution and dense of levels: one a channel, without any zero-point constant.
  std::vector<std::int32_t> bias;
  // Of these, to the output grid or to the logits: one, or one a channel.
  std::vector<float> multiplier;
  // Of a residual: what a summand's levels are worth in the sum's.
  float summand_multiplier(const format::ActivationGrid& of) const { return of.scale / to.scale; }

  // Whether it computes with levels; else with reals, which a grid in front or behind becomes.
  bool takes_levels() const { return format::takes_levels(*layer, from); }
  bool is_logits() const { return !from.is_float() && to.is_float(); }
  // Of a channel's sums: s_x * s_w[c]. Layers of levels.
  float sum_scale(std::size_t channel) const {
    const auto& scales = layer->weight.scales;
    return from.scale * scales[scales.size() > 1 ? channel : 0];
  }
};

struct Network {
  // The caller's, which outlives this; or a copy, where levels that a float layer multiplies became
  // floats (format::float_weights).
  std::shared_ptr<const format::PackedModel> model;
  std::vector<Step> steps;  // one a layer
  bool is_float() const { return model->input.is_float(); }
  std::int64_t classes() const { return elements(steps.back().out); }
  std::string label(std::int64_t i) const;
};

// Calls w.linear, pool, batch_norm, relu, flatten or residual, whichever the layer's kind wants, with `what`.
template <class W, class What>
void visit(format::LayerKind kind, W& w, const What& what) {
  using format::LayerKind;
  switch (kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDepthwiseConv2d:
    case LayerKind::kDense:
      return w.linear(what);
    case LayerKind::kMaxPool2d:
    case LayerKind::kAveragePool2d:
      return w.pool(what);
    case LayerKind::kBatchNorm:
      return w.batch_norm(what);
    case LayerKind::kRelu:
      return w.relu(what);
    case LayerKind::kFlatten:
      return w.flatten(what);
    case LayerKind::kResidual:
      return w.residual(what);
  }
}

// Errors: kUsage, naming the layer and the remedy, for a model that does not keep FORMAT.md's rules
// and, unless it may be mixed, for one whose activations are partly floats, partly levels.
enum class Activations { kAlike, kMixed };
Network network_of(const format::PackedModel& model, Activations allowed = Activations::kAlike);

// What a model of another format says of itself: its labels as a list of JSON, and the transform of
// its input: "float32 [batch height width channels] of (pixel / 255 - mean) / deviation, ..."; of a
// table's columns names, means and deviations, as JSON.
std::string labels_json(const Network& network);
std::string columns_json(const Network& network);
std::string input_text(const Network& network, std::string_view dimensions);

// Compilers and browsers take long over texts of more numbers than this. Errors: kUsage, with the
// remedy, naming `where`.
constexpr std::int64_t kMaxTextWeights = 1 << 22;
void check_fits_text(const Network& network, std::string_view where);

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
