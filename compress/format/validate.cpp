#include "compress/format/validate.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/format/half.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/wiring.hpp"

namespace espalier::format {
namespace {

bool within(std::int64_t v, std::int64_t low, std::uint64_t high) {
  return v >= low && v <= static_cast<std::int64_t>(high);
}
bool all_finite(const std::vector<float>& values) {
  for (const float v : values)
    if (!std::isfinite(v)) return false;
  return true;
}
bool all_half(const std::vector<float>& values) {
  return std::ranges::all_of(values, is_half);
}
bool good(const ActivationGrid& grid) {
  return std::isfinite(grid.scale) && grid.scale >= 0 && within(grid.zero_point, 0, 127) &&
         (grid.scale > 0 || grid.zero_point == 0);
}

// Every sum of a channel fits into 2^24: no int32 overflows and a float32 holds it (INTEGERS.md).
void check_sums(const PackedLayer& layer, std::string_view title, ErrorKind kind,
                std::string_view where) {
  const auto channels = static_cast<std::size_t>(layer.weight.shape[0]);
  const std::size_t stride = layer.weight.levels.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    std::int64_t sum = 0;
    for (std::size_t i = c * stride; i < (c + 1) * stride; ++i)
      sum += 127 * std::abs(std::int64_t{layer.weight.levels[i]});
    if (!layer.bias_levels.empty())
      sum += std::abs(std::int64_t{layer.bias_levels[c]}) << layer.bias_shift;
    require(sum < (std::int64_t{1} << 24), kind, where, title, ": the sums of channel ", c,
            " may reach ", sum, ", not below 2^24; quantize it with coarser scales");
  }
}

// Whether what the layer's kind does not use has its default.
bool only_its_fields(const PackedLayer& l, bool integer) {
  const PackedLayer unset;
  const auto window = [](const PackedLayer& of) {
    return std::array{of.kernel_h, of.kernel_w, of.stride_h,   of.stride_w,
                      of.pad_top,  of.pad_left, of.pad_bottom, of.pad_right};
  };
  const bool weight = has_weight(l.kind);
  const bool bias = weight && !integer, bias_levels = weight && integer;
  return (l.kind == LayerKind::kResidual || l.with == unset.with) &&
         (has_window(l.kind) || window(l) == window(unset)) &&
         (moves(l.kind) || (l.relu == unset.relu && l.output == unset.output)) &&
         (l.kind == LayerKind::kBatchNorm || (l.multiplier.empty() && l.offset.empty())) &&
         (weight || l.weight == unset.weight) && (bias || l.bias.empty()) &&
         (bias_levels || (l.bias_levels.empty() && l.bias_shift == unset.bias_shift));
}

void check_names(const PackedModel& model, ErrorKind kind, std::string_view where) {
  const auto& names = model.column_names;
  require(names.empty() ? model.label_name.empty() : names.size() == model.columns.size(), kind,
          where, names.size(), " names for ", model.columns.size(), " columns are not allowed");
  const std::set<std::string_view> different(names.begin(), names.end());
  require(different.size() == names.size(), kind, where, "two columns have the same name");
  const auto fits = [](const std::string& name) { return name.size() <= kMaxTextBytes; };
  require(std::ranges::all_of(names, fits) && fits(model.label_name), kind, where,
          "a column's name is too long");
}

}  // namespace

std::array<std::int64_t, 3> output_shape(const PackedLayer& layer, std::int64_t channels,
                                         std::array<std::int64_t, 3> input, ErrorKind kind,
                                         std::string_view where) {
  auto shape = input;
  if (has_window(layer.kind)) {
    for (auto v : {layer.kernel_h, layer.kernel_w, layer.stride_h, layer.stride_w})
      require(within(v, 1, kMaxWindow), kind, where, "kernel or stride ", v, " is not allowed");
    for (auto v : {layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right})
      require(within(v, 0, kMaxWindow), kind, where, "padding ", v, " is not allowed");
    const auto h = input[0] + layer.pad_top + layer.pad_bottom - layer.kernel_h;
    const auto w = input[1] + layer.pad_left + layer.pad_right - layer.kernel_w;
    require(h >= 0 && w >= 0, kind, where, "the kernel is larger than its padded input");
    shape = {h / layer.stride_h + 1, w / layer.stride_w + 1, input[2]};
  }
  if (layer.kind == LayerKind::kFlatten) shape = {1, 1, input[0] * input[1] * input[2]};
  if (layer.kind == LayerKind::kDense)
    require(input[0] == 1 && input[1] == 1, kind, where, "dense needs a flat input");
  if (has_weight(layer.kind)) shape[2] = channels;
  for (auto v : shape) require(within(v, 1, kMaxActivations), kind, where, "size ", v);
  require(within(shape[2], 1, kMaxActivations) &&
              shape[0] <= static_cast<std::int64_t>(kMaxDimension) &&
              shape[1] <= static_cast<std::int64_t>(kMaxDimension) &&
              within(shape[0] * shape[1], 1, kMaxActivations) &&
              within(shape[0] * shape[1] * shape[2], 1, kMaxActivations),
          kind, where, "the activations are over the limit");
  return shape;
}

std::string title_of(const PackedLayer& layer, std::size_t index) {
  return layer.name.empty() ? "layer " + std::to_string(index + 1) : "layer '" + layer.name + "'";
}

void check_padding(const PackedLayer& l, std::string_view title, ErrorKind kind,
                   std::string_view where) {
  if (!has_window(l.kind)) return;
  require(l.pad_top < l.kernel_h && l.pad_bottom < l.kernel_h && l.pad_left < l.kernel_w &&
              l.pad_right < l.kernel_w,
          kind, where, title, " pads by as much as its kernel ", l.kernel_h, "x", l.kernel_w,
          "; pad by less");
}

void validate(const PackedModel& model, ErrorKind kind, std::string_view where) {
  auto shape = model.input_shape;
  for (auto v : shape)
    require(within(v, 1, kMaxDimension), kind, where, "input size ", v, " is not allowed");
  require(within(shape[0] * shape[1], 1, kMaxActivations) &&
              within(shape[0] * shape[1] * shape[2], 1, kMaxActivations),
          kind, where, "the input is over the limit");
  require(std::isfinite(model.input_mean) && std::isfinite(model.input_deviation) &&
              model.input_deviation > 0 && good(model.input),
          kind, where, "input mean, deviation or grid is not allowed");
  const auto allowed = [](const Scaling& s) {
    return std::isfinite(s.mean) && std::isfinite(s.deviation) && s.deviation >= 0;
  };
  require(model.columns.empty() ||
              (shape[0] * shape[1] == 1 && shape[2] == std::ssize(model.columns) &&
               model.columns.size() <= kMaxColumns && std::ranges::all_of(model.columns, allowed)),
          kind, where, "means and deviations of ", model.columns.size(),
          " columns are not allowed; the input is ", shape[0], " x ", shape[1], " x ", shape[2]);
  check_names(model, kind, where);
  require(!model.target ||
              (allowed(*model.target) && model.target->deviation > 0 && model.labels.empty()),
          kind, where, "the target's mean, deviation or labels are not allowed");
  require(model.labels.size() <= kMaxLabels, kind, where, "too many labels");
  for (const auto& label : model.labels)
    require(label.size() <= kMaxTextBytes, kind, where, "a label is too long");
  require(!model.layers.empty() && model.layers.size() <= kMaxLayers, kind, where,
          model.layers.size(), " layers are not allowed");
  std::uint64_t weights = 0;
  std::vector<std::array<std::int64_t, 3>> shapes{shape};  // of the stages (wiring.hpp)
  std::vector<ActivationGrid> grids{model.input};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    require(layer.kind <= LayerKind::kResidual && layer.kind != kEnd, kind, where,
            "unknown layer kind");
    require(layer.name.size() <= kMaxTextBytes, kind, where, "a layer's name is too long");
    const std::string title = title_of(layer, i);
    const auto& weight = layer.weight;
    const bool residual = layer.kind == LayerKind::kResidual;
    require(within(layer.from, 1, i + 1) && (!residual || within(layer.with, 1, i + 1)), kind,
            where, title, " reads what lies ", layer.from, " or ", layer.with,
            " stages back; there are ", i + 1);
    const auto input = shapes[input_stage(layer, i)];
    const ActivationGrid grid = grids[input_stage(layer, i)];
    const bool integer = has_weight(layer.kind) && takes_levels(layer, grid);
    grids.push_back(grid_behind(layer, grid));
    require(only_its_fields(layer, integer), kind, where, title,
            " sets a field that its kind does not use");
    require(good(layer.output), kind, where, title, ": bad output grid");
    std::int64_t channels = input[2];
    if (has_weight(layer.kind)) {
      require(!weight.shape.empty(), kind, where, title, " has no weight shape");
      channels = weight.shape[0];
    }
    shapes.push_back(output_shape(layer, channels, input, kind, where));
    if (residual) {
      const auto other = other_stage(layer, i);
      require(shapes[other] == input, kind, where, title,
              ": the two stages that it adds have different shapes");
      require(!takes_levels(layer, grid) || !grids[other].is_float(), kind, where, title,
              " adds floats to levels and yields levels; give all three a grid, or none");
      for (const auto& summand : {grid, grids[other]})
        require(layer.output.is_float() || summand.scale <= kMaxSummandRatio * layer.output.scale,
                kind, where, title, ": a summand's scale of ", summand.scale, " is more than ",
                kMaxSummandRatio, " times that of the sum, ", layer.output.scale);
    }
    const auto c = static_cast<std::size_t>(channels);
    if (layer.kind == LayerKind::kBatchNorm) {
      require(layer.multiplier.size() == c && layer.offset.size() == c, kind, where, title,
              ": multiplier and offset need ", c, " values");
      require(all_finite(layer.multiplier) && all_finite(layer.offset), kind, where, title,
              " holds a NaN or infinity");
    }
    if (!has_weight(layer.kind)) continue;
    const bool depthwise = layer.kind == LayerKind::kDepthwiseConv2d;
    const auto wanted =
        layer.kind == LayerKind::kDense
            ? std::vector<std::int64_t>{channels, input[2]}
            : std::vector<std::int64_t>{depthwise ? input[2] : channels, layer.kernel_h,
                                        layer.kernel_w, depthwise ? 1 : input[2]};
    require(weight.shape == wanted, kind, where, title,
            ": the weight's shape does not fit its input");
    std::uint64_t count = 1;
    for (auto v : wanted) {
      count *= static_cast<std::uint64_t>(v);
      require(count <= kMaxWeights, kind, where, "too many weights");
    }
    weights += count;
    require(weights <= kMaxWeights, kind, where, "too many weights");
    require(weight.is_float() || (weight.bits >= 2 && weight.bits <= 8), kind, where, title, ": ",
            weight.bits, "-bit weights are not allowed");
    require(weight.values.size() == (weight.is_float() ? count : 0) &&
                weight.levels.size() == (weight.is_float() ? 0 : count) &&
                (layer.bias.empty() || layer.bias.size() == c) &&
                (layer.bias_levels.empty() || layer.bias_levels.size() == c) &&
                (weight.is_float() ? weight.scales.empty()
                                   : weight.scales.size() == 1 || weight.scales.size() == c),
            kind, where, title, ": values, bias or scales do not fit the shape");
    require(within(layer.bias_shift, 0, kMaxBiasShift), kind, where, title, ": bias shift ",
            layer.bias_shift);
    require(all_finite(weight.values) && all_finite(layer.bias) && all_finite(weight.scales), kind,
            where, title, " holds a NaN or infinity");
    require(weight.bits != 16 || (all_half(weight.values) && all_half(layer.bias)), kind, where,
            title, " holds a value that 16 bits do not hold");
    for (const float s : weight.scales)
      require(s > 0 && (integer || std::isfinite(127 * s)), kind, where,
              "a scale is not positive, or too large for floats");
    for (const int level : weight.levels)
      require(std::abs(level) < 1 << (weight.bits - 1), kind, where, "level ", level,
              " is outside its grid");
    if (integer) check_sums(layer, title, kind, where);
  }
  const auto kept = kept_stages(model);
  std::uint64_t together = 0;
  for (std::size_t s = 0; s < kept.size(); ++s)
    if (kept[s]) together += static_cast<std::uint64_t>(shapes[s][0] * shapes[s][1] * shapes[s][2]);
  require(together <= kMaxKeptActivations, kind, where, "the stages that branches keep have ",
          together, " activations, over the limit of ", kMaxKeptActivations);
  const auto& output = shapes.back();
  require(!model.target || output[0] * output[1] * output[2] == 1, kind, where,
          "has a target, so one output is wanted, not ", output[0] * output[1] * output[2]);
}

}  // namespace espalier::format
