// The file's one description: head and records in the order of FORMAT.md, for encoders (a const
// Model) and decoders alike.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "compress/format/half.hpp"
#include "compress/format/level_coder.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/palette.hpp"
#include "compress/format/scalings.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"

namespace espalier::format {

// What a reader expects until it is told otherwise.
constexpr std::array<std::int64_t, 3> kUsualInput{28, 28, 1};
constexpr ActivationGrid kUsualGrid{1.0f / 127, 0};
constexpr std::int64_t kUsualClasses = 10;

struct WindowFields {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w;
  std::array<std::int64_t, 4> padding;  // top left bottom right
  bool operator==(const WindowFields&) const = default;
};

template <class Coder, class Model>
class Syntax {
 public:
  using Layer = std::conditional_t<std::is_const_v<Model>, const PackedLayer, PackedLayer>;

  // `name` in errors, which a decoder alone raises. `most` weights are allowed (limits.hpp).
  Syntax(Coder& coder, Model& model, std::string name, std::uint64_t most, int version)
      : coder_(coder), model_(model), name_(std::move(name)), most_(most), version_(version) {}

  void head();
  // The record of layer `i`, which a decoder appends; false: there was none, the list ends here.
  bool layer(std::size_t i);

  // Decoders alone call it, if there is one, now and then: RangeDecoder::bytes_read().
  std::function<void(std::size_t bytes)> on_read = {};

 private:
  bool flag(BitModel& model, bool value) { return coder_.bit(model, value); }
  std::int64_t number(NumberModel& model, std::int64_t value, std::uint64_t limit) {
    const auto n = code_number(coder_, model, static_cast<std::uint64_t>(value));
    require(n <= limit, ErrorKind::kCorrupt, name_, "a declared size of ", n,
            " is over the limit of ", limit);
    return static_cast<std::int64_t>(n);
  }
  template <class Text>
  void text(Text& value) {
    const auto size =
        number(text_size_, static_cast<std::int64_t>(value.size()) + 1, kMaxTextBytes + 1);
    if constexpr (Coder::kDecodes) value.resize(static_cast<std::size_t>(size - 1));
    for (auto& c : value) set(c, code_byte(coder_, letters_, static_cast<std::uint8_t>(c)));
  }
  template <class Grid>
  void grid(Grid& value) {
    if (flag(grid_changes_, value != grid_)) {
      set(value.scale, code_scale(coder_, grid_scale_, value.scale));
      const bool zero = !flag(zero_point_, value.zero_point != 0);
      set(value.zero_point, zero ? 0 : coder_.raw(7, static_cast<std::uint32_t>(value.zero_point)));
    } else {
      set(value, grid_);
    }
    grid_ = value;
  }
  template <class Vector>
  void floats(Vector& values, std::size_t columns, std::int32_t bits = 32) {
    if (bits == 16) return code_halves(coder_, std::span(values), columns);
    code_floats(coder_, std::span(values), columns);
  }
  void column_names(BitModel& rarely);
  LayerKind expected_kind(std::size_t i) const;
  void wires(Layer& layer, std::size_t i);
  void window(Layer& layer);
  std::int64_t width(Layer& layer);
  void weight(Layer& layer);
  void row_by_row(Layer& layer, std::uint64_t count, const LevelShape& shape);
  template <class T>
  void with_palette(std::span<T> values, std::size_t rows);
  float colour(float value, float) {
    if (bits_ == 16) return from_half(static_cast<std::uint16_t>(coder_.raw(16, to_half(value))));
    return std::bit_cast<float>(coder_.raw(32, std::bit_cast<std::uint32_t>(value)));
  }
  int colour(int value, int last) {
    if (last == kNone)
      return static_cast<int>(
          std::clamp<std::int64_t>(code_signed(coder_, first_colour_, value), -kNone, kNone - 1));
    const auto step = number(colour_steps_, value - last, kMostColours);
    return last + static_cast<int>(step);
  }
  void bias(Layer& layer, std::size_t channels, bool integer);
  void count_weights(std::uint64_t count) {
    weights_ += count;
    require(weights_ <= most_, ErrorKind::kCorrupt, name_, weights_,
            " weights or more are declared; the limit for this file is ", most_);
  }

  Coder& coder_;
  Model& model_;
  std::string name_;
  std::uint64_t most_, weights_ = 0;
  int version_;
  static constexpr int kNone = 1000;  // no level

  // Of the stages so far (wiring.hpp).
  std::vector<std::array<std::int64_t, 3>> shapes_;
  std::vector<ActivationGrid> grids_;
  std::array<std::int64_t, 3> unflattened_{};
  ActivationGrid grid_ = kUsualGrid;
  LayerKind last_kind_ = LayerKind::kRelu;
  bool named_ = false, last_has_grid_ = false;
  std::int32_t bits_ = 0;
  WindowFields& window_of(LayerKind kind) {  // the last one of this kind
    return windows_[kind == LayerKind::kDepthwiseConv2d ? 1 : static_cast<std::size_t>(kind)];
  }
  std::array<WindowFields, 4> windows_ = [] {
    constexpr WindowFields pool{2, 2, 2, 2, {}}, depthwise{3, 3, 1, 1, {1, 1, 1, 1}};
    return std::array<WindowFields, 4>{{{5, 5, 1, 1, {}}, depthwise, pool, pool}};
  }();

  NumberModel text_size_, sizes_, widths_ = NumberModel::around(3), kernels_, strides_, paddings_;
  ByteModel letters_;
  BitModel grid_changes_ = kEvenly, zero_point_ = kRarely, unexpected_kind_ = kRarely;
  BitModel other_window_ = kRarely, only_kernel_ = kMostly, other_classes_ = kRarely;
  BitModel other_bits_ = kRarely, a_scale_each_ = kEvenly, logits_scaled_ = kEvenly;
  BitModel has_bias_ = kMostly, from_before_ = kRarely;
  NumberModel reaches_;
  LevelModels level_models_;
  ScaleModel grid_scale_, weight_scale_;
  SignedModel shift_{kRarely, {}, {}}, bias_;
  std::array<BitModel, 10> has_grid_{kMostly, kEvenly, kRarely, kRarely, kMostly,
                                     kRarely, kRarely, kRarely, kMostly, kMostly};
  std::array<BitModel, 2> has_relu_{kRarely, kMostly};
  BitModel has_palette_ = kEvenly, half_ = kEvenly;
  NumberModel colours_, colour_steps_;
  SignedModel first_colour_;
};

template <class Coder, class Model>
void Syntax<Coder, Model>::head() {
  BitModel rarely = kRarely, mostly = kMostly, evenly = kEvenly;
  set(model_.input_shape, kUsualInput);
  const bool usual = model_.input_shape == kUsualInput;
  if (flag(rarely, !usual))
    for (auto& v : model_.input_shape) set(v, number(sizes_, v, kMaxDimension));
  shapes_ = {model_.input_shape};
  const bool normalized = model_.input_mean != 0 || model_.input_deviation != 1;
  if (flag(rarely, normalized))
    for (auto* v : {&model_.input_mean, &model_.input_deviation})
      set(*v, std::bit_cast<float>(coder_.raw(32, std::bit_cast<std::uint32_t>(*v))));
  if (flag(rarely, !model_.labels.empty())) {
    const auto count = static_cast<std::int64_t>(model_.labels.size());
    const auto labels = static_cast<std::size_t>(number(sizes_, count, kMaxLabels));
    for (std::size_t i = 0; i < labels; ++i) {
      if constexpr (Coder::kDecodes) model_.labels.emplace_back();
      text(model_.labels[i]);
    }
  }
  bool named = false;
  for (const auto& layer : model_.layers) named = named || !layer.name.empty();
  named_ = flag(evenly, named);
  const bool levels = flag(mostly, !model_.input.is_float());
  if (levels) {
    grid(model_.input);
  } else {
    has_grid_.fill(kRarely);
    has_relu_[0] = kEvenly;
  }
  grids_ = {model_.input};
  if (version_ >= 3) {
    code_scalings(coder_, model_, rarely, name_);
    if (!model_.columns.empty()) column_names(rarely);
  }
}

// Of a table that had a header: the columns' names, and the label's.
template <class Coder, class Model>
void Syntax<Coder, Model>::column_names(BitModel& rarely) {
  if (!flag(rarely, !model_.column_names.empty())) return;
  if constexpr (Coder::kDecodes) model_.column_names.resize(model_.columns.size());
  for (auto& name : model_.column_names) text(name);
  text(model_.label_name);
}

// What usually follows.
template <class Coder, class Model>
LayerKind Syntax<Coder, Model>::expected_kind(std::size_t i) const {
  const auto& shape = shapes_.back();
  const bool flat = shape[0] * shape[1] == 1;
  if (i == 0) return flat ? LayerKind::kDense : LayerKind::kConv2d;
  switch (last_kind_) {
    case LayerKind::kConv2d:
      return LayerKind::kMaxPool2d;
    case LayerKind::kMaxPool2d:
    case LayerKind::kAveragePool2d:
      return shape[0] < 8 ? LayerKind::kFlatten : LayerKind::kConv2d;
    case LayerKind::kFlatten:
      return LayerKind::kDense;
    case LayerKind::kDense:
      return last_has_grid_ ? LayerKind::kDense : kEnd;
    default:
      return flat ? kEnd : LayerKind::kConv2d;
  }
}

// Which stages it reads.
template <class Coder, class Model>
void Syntax<Coder, Model>::wires(Layer& layer, std::size_t i) {
  const auto reach = [&](std::int64_t value) {
    return number(reaches_, value, static_cast<std::uint64_t>(i) + 1);
  };
  set(layer.from, flag(from_before_, layer.from != 1) ? reach(layer.from) : 1);
  if (layer.kind == LayerKind::kResidual) set(layer.with, reach(layer.with));
}

template <class Coder, class Model>
bool Syntax<Coder, Model>::layer(std::size_t i) {
  LayerKind kind = i < model_.layers.size() ? model_.layers[i].kind : kEnd;
  const LayerKind expected = expected_kind(i);
  const bool other = flag(unexpected_kind_, kind != expected);
  const int kind_bits = version_ >= 3 ? 4 : 3;
  kind = other ? static_cast<LayerKind>(coder_.raw(kind_bits, static_cast<std::uint32_t>(kind)))
               : expected;
  if (kind == kEnd) return false;
  require(kind <= LayerKind::kResidual, ErrorKind::kCorrupt, name_, "unknown layer kind ",
          static_cast<int>(kind));
  if constexpr (Coder::kDecodes) {
    require(i < kMaxLayers, ErrorKind::kCorrupt, name_, "more than ", kMaxLayers, " layers");
    model_.layers.emplace_back();
  }
  Layer& layer = model_.layers[i];
  set(layer.kind, kind);
  if (named_) text(layer.name);
  if (version_ >= 3) wires(layer, i);
  last_has_grid_ = flag(has_grid_[static_cast<std::size_t>(kind)], !layer.output.is_float());
  if (last_has_grid_) grid(layer.output);
  if (moves(kind)) set(layer.relu, flag(has_relu_[last_has_grid_ ? 1 : 0], layer.relu));
  if (has_window(kind)) window(layer);

  const auto input = shapes_[input_stage(layer, i)];
  const auto grid = grids_[input_stage(layer, i)];
  std::int64_t channels = input[2];
  if (kind == LayerKind::kConv2d || kind == LayerKind::kDense) channels = width(layer);
  shapes_.push_back(output_shape(layer, channels, input, ErrorKind::kCorrupt, name_));
  const auto c = static_cast<std::size_t>(channels);
  if (kind == LayerKind::kBatchNorm) {
    count_weights(c);
    if constexpr (Coder::kDecodes) layer.multiplier.resize(c), layer.offset.resize(c);
    floats(layer.multiplier, c), floats(layer.offset, c);
  }
  if (last_kind_ != LayerKind::kFlatten || layer.from != 1) unflattened_ = input;
  if (has_weight(kind)) {
    if constexpr (Coder::kDecodes) {
      if (kind == LayerKind::kDense)
        layer.weight.shape = {channels, input[2]};
      else
        layer.weight.shape = {channels, layer.kernel_h, layer.kernel_w,
                              kind == LayerKind::kDepthwiseConv2d ? 1 : input[2]};
    }
    weight(layer);
    bias(layer, c, takes_levels(layer, grid));
  }
  grids_.push_back(grid_behind(layer, grid));
  last_kind_ = kind;
  return true;
}

// OUT. The last dense layer has one for each class.
template <class Coder, class Model>
std::int64_t Syntax<Coder, Model>::width(Layer& layer) {
  const auto classes =
      model_.labels.empty() ? kUsualClasses : static_cast<std::int64_t>(model_.labels.size());
  const auto channels = Coder::kDecodes ? classes : layer.weight.shape[0];
  const bool last = layer.kind == LayerKind::kDense && !last_has_grid_;
  if (last && !flag(other_classes_, channels != classes)) return channels;
  return number(widths_, channels, kMaxDimension);
}

template <class Coder, class Model>
void Syntax<Coder, Model>::window(Layer& l) {
  auto& last = window_of(l.kind);
  WindowFields w{l.kernel_h,
                 l.kernel_w,
                 l.stride_h,
                 l.stride_w,
                 {l.pad_top, l.pad_left, l.pad_bottom, l.pad_right}};
  const WindowFields square{w.kernel_h, w.kernel_h, last.stride_h, last.stride_w, last.padding};
  if (!flag(other_window_, w != last)) {
    w = last;
  } else if (flag(only_kernel_, w == square)) {
    w = square;
    w.kernel_h = w.kernel_w = number(kernels_, w.kernel_h, kMaxWindow);
  } else {
    for (auto* v : {&w.kernel_h, &w.kernel_w}) *v = number(kernels_, *v, kMaxWindow);
    for (auto* v : {&w.stride_h, &w.stride_w}) *v = number(strides_, *v, kMaxWindow);
    for (auto& v : w.padding) v = number(paddings_, v + 1, kMaxWindow + 1) - 1;
  }
  last = w;
  set(l.kernel_h, w.kernel_h), set(l.kernel_w, w.kernel_w);
  set(l.stride_h, w.stride_h), set(l.stride_w, w.stride_w);
  set(l.pad_top, w.padding[0]), set(l.pad_left, w.padding[1]);
  set(l.pad_bottom, w.padding[2]), set(l.pad_right, w.padding[3]);
}

}  // namespace espalier::format

#include "compress/format/syntax_weights.hpp"
