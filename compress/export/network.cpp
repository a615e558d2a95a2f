#include "compress/export/network.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/export/text.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "core/base/error.hpp"

namespace espalier::exports {
namespace {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;

constexpr const char* kKinds[] = {"conv", "dense",   "max_pool", "average_pool", "norm",
                                  "relu", "flatten", "",         "depthwise",    "residual"};

std::string unique_name(const PackedLayer& l, std::size_t index, std::set<std::string>& taken) {
  const std::string kind = kKinds[static_cast<std::size_t>(l.kind)];
  const std::string first = identifier(l.name, kind + std::to_string(index + 1));
  std::string name = first;
  for (int i = 2; !taken.insert(name).second; ++i) name = first + "_" + std::to_string(i);
  return name;
}

// Of activations that are alike.
void check_alike(const PackedLayer& l, const std::string& title, const ActivationGrid& from) {
  constexpr const char* kRemedy =
      "; export a model that is all floats or all integers, or take onnx or tflite";
  const bool linear = format::has_weight(l.kind);
  require(!linear || from.is_float() || !l.weight.is_float(), "export", title,
          " has float weights and levels as input", kRemedy);
  if (!format::moves(l.kind)) return;
  require(!from.is_float() || l.output.is_float(), "export", title,
          " takes floats and yields levels", kRemedy);
  require(linear || from.is_float() == l.output.is_float(), "export", title,
          " takes levels and yields floats; give it an output grid, or take onnx or tflite");
}

void set_integers(Step& s, const std::string& title) {
  const PackedLayer& l = *s.layer;
  const auto& w = l.weight;
  s.bias.assign(static_cast<std::size_t>(w.shape[0]), 0);
  for (std::size_t c = 0; c < l.bias_levels.size(); ++c)
    s.bias[c] = l.bias_levels[c] * (std::int32_t{1} << l.bias_shift);
  for (std::size_t c = 0; c < w.scales.size(); ++c) {
    const float product = s.sum_scale(c);
    s.multiplier.push_back(s.is_logits() ? product : product / s.to.scale);
    require(std::isfinite(s.multiplier.back()), "export", title, ", channel ", c, ": the scales ",
            s.from.scale, " of its input and ", w.scales[c], " of its weights",
            s.is_logits() ? "" : " by that of its output",
            " make a factor that no float32 holds; quantize it with a smaller weight scale");
  }
}

// Levels that floats are multiplied by (dynamic range) become floats, as the runtime has them.
bool widens(const PackedLayer& l, const ActivationGrid& input) {
  return format::has_weight(l.kind) && input.is_float() && !l.weight.is_float();
}
std::shared_ptr<const format::PackedModel> widened(const format::PackedModel& model) {
  std::shared_ptr<format::PackedModel> copy;
  const auto grids = format::stage_grids(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (widens(model.layers[i], grids[format::input_stage(model.layers[i], i)])) {
      if (!copy) copy = std::make_shared<format::PackedModel>(model);
      auto& weight = copy->layers[i].weight;
      weight.values = format::float_weights(weight);
      weight.levels.clear(), weight.scales.clear(), weight.bits = 32;
    }
  }
  if (copy) return copy;
  return {std::shared_ptr<const void>(), &model};  // the caller's
}

}  // namespace

std::string Network::label(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  return at < model->labels.size() ? model->labels[at] : std::to_string(i);
}

Network network_of(const format::PackedModel& model, Activations allowed) {
  format::validate(model, ErrorKind::kUsage, "export");
  Network network{widened(model), {}};
  // The C file's own table; the graphs' input and output.
  std::set<std::string> taken = {"pixel", "image", "logits"};
  const auto last = format::last_readers(model);
  std::vector<Shape> shapes{model.input_shape};
  std::vector<ActivationGrid> grids{model.input};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& l = network.model->layers[i];
    const std::string title = format::title_of(l, i);
    format::check_padding(l, title, ErrorKind::kUsage, "export");
    const bool adds = l.kind == LayerKind::kResidual;
    const std::size_t input = format::input_stage(l, i),
                      other = adds ? format::other_stage(l, i) : 0;
    const Shape shape = shapes[input];
    const ActivationGrid grid = grids[input];
    const bool linear = format::has_weight(l.kind);
    if (allowed == Activations::kAlike) {
      require(!adds || grids[other].is_float() == grid.is_float(), "export", title,
              " adds floats to levels; export a model that is all floats or all integers, or take "
              "onnx or tflite");
      const bool behind_logits = !model.input.is_float() && grid.is_float();
      require(!behind_logits || l.kind == LayerKind::kFlatten, "export", title,
              " takes the floats of an integer model's logits; only flatten may follow them");
      check_alike(l, title, grid);
    }
    Step step{&l,
              unique_name(l, i, taken),
              shape,
              format::output_shape(l, linear ? l.weight.shape[0] : shape[2], shape,
                                   ErrorKind::kUsage, "export"),
              grid,
              format::grid_behind(l, grid),
              input,
              other,
              grids[other],
              {},
              {}};
    if (linear && !l.weight.is_float()) set_integers(step, title);
    require(last[i + 1] > i || i + 1 == model.layers.size(), "export", title,
            " is read by no other layer; take it out of the model");
    shapes.push_back(step.out), grids.push_back(step.to);
    network.steps.push_back(std::move(step));
  }
  require(grids.back().is_float(), "export",
          "the model ends in levels, not in logits; give its last layer a float output");
  return network;
}

std::string labels_json(const Network& network) {
  std::string list;
  for (std::int64_t i = 0; i < network.classes(); ++i)
    list += (i ? ", " : "") + js_literal(network.label(i));
  return "[" + list + "]";
}

std::string columns_json(const Network& network) {
  const auto& model = *network.model;
  std::string list;
  for (std::size_t c = 0; c < model.columns.size(); ++c)
    list += std::string(c ? ", " : "") +
            "{\"name\": " + js_literal(model.column_names.empty() ? "" : model.column_names[c]) +
            ", \"mean\": " + decimal(model.columns[c].mean) +
            ", \"deviation\": " + decimal(model.columns[c].deviation) + "}";
  return "[" + list + "]";
}

std::string input_text(const Network& network, std::string_view dimensions) {
  if (!network.model->columns.empty())
    return "float32 [batch " + std::string(dimensions) +
           "] of clamp(0.5 + (value - mean) / (8 deviation), 0, 1), a channel a column";
  return "float32 [batch " + std::string(dimensions) + "] of (pixel / 255 - " +
         decimal(network.model->input_mean) + ") / " + decimal(network.model->input_deviation) +
         ", pixels 0..255";
}

void check_fits_text(const Network& network, std::string_view where) {
  std::int64_t weights = 0;
  for (const Step& s : network.steps)
    weights += std::ssize(s.layer->weight.levels) + std::ssize(s.layer->weight.values);
  require(weights <= kMaxTextWeights, where, "the model has ", weights,
          " weights and a program's text should hold no more than ", kMaxTextWeights,
          "; export it as onnx");
}

std::array<std::uint8_t, 256> pixel_levels(const format::PackedModel& model) {
  std::array<std::uint8_t, 256> levels{};
  const auto zero = static_cast<float>(model.input.zero_point);
  for (std::size_t p = 0; p < levels.size(); ++p) {
    const float x = (static_cast<float>(p) / 255.0f - model.input_mean) / model.input_deviation;
    const float inside = std::clamp(x / model.input.scale, -zero, 127 - zero);
    levels[p] = static_cast<std::uint8_t>(std::nearbyint(inside) + zero);  // half to even
  }
  return levels;
}

PixelFormula pixel_formula(const std::array<std::uint8_t, 256>& levels) {
  constexpr int kShift = 16;
  // The slope, from the first and the last pixel that are not clamped.
  int first = 0, last = 255;
  while (first < 255 && levels[static_cast<std::size_t>(first) + 1] == 0) ++first;
  while (last > first && levels[static_cast<std::size_t>(last) - 1] == 127) --last;
  if (first == last) return {};
  const auto at = [&](int p) { return std::int32_t{levels[static_cast<std::size_t>(p)]}; };
  const std::int32_t guess = ((at(last) - at(first)) << kShift) / (last - first);
  constexpr std::int32_t kTried = 1 << 10;
  for (std::int32_t i = 0; i < 2 * kTried; ++i) {
    const std::int32_t mul = guess + (i % 2 ? -(i + 1) / 2 : i / 2);
    // Each pixel leaves an interval for what is added.
    std::int64_t low = -(1 << 24), high = 1 << 24;
    for (int p = 0; p < 256; ++p) {
      const std::int64_t product = std::int64_t{p} * mul;
      if (at(p) > 0) low = std::max(low, (std::int64_t{at(p)} << kShift) - product);
      if (at(p) < 127) high = std::min(high, ((std::int64_t{at(p)} + 1) << kShift) - 1 - product);
    }
    if (low <= high && mul > 0 && mul < 1 << 22)
      return {mul, static_cast<std::int32_t>((low + high) / 2), kShift};
  }
  return {};
}

std::string identifier(std::string_view text, std::string_view otherwise) {
  std::string name;
  bool any = false;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    any |= good;
    name += good ? c : '_';
  }
  if (!any) return std::string(otherwise);
  return name.front() >= '0' && name.front() <= '9' ? "_" + name : name;
}

std::string text_of(const Shape& shape) {
  return "[" + std::to_string(shape[0]) + " " + std::to_string(shape[1]) + " " +
         std::to_string(shape[2]) + "]";
}

}  // namespace espalier::exports
