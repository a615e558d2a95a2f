// How Syntax (syntax.hpp, which includes this) codes the numbers of a convolution or dense layer.
#pragma once

#include "compress/format/syntax.hpp"

namespace espalier::format {

template <class Coder, class Model>
void Syntax<Coder, Model>::weight(Layer& layer) {
  auto& w = layer.weight;
  if (bits_ == 0 || flag(other_bits_, w.bits != bits_)) {
    const auto code = coder_.raw(3, w.is_float() ? 7u : static_cast<std::uint32_t>(w.bits - 2));
    const bool half = code == 7 && version_ >= 2 && flag(half_, w.bits == 16);
    set(w.bits, half ? 16 : code == 7 ? 32 : static_cast<std::int32_t>(code) + 2);
  } else {
    set(w.bits, bits_);
  }
  bits_ = w.bits;
  std::uint64_t count = 1;
  for (const auto v : w.shape) {
    count *= static_cast<std::uint64_t>(v);  // at most 2^26 * 2^26
    require(count <= kMaxWeights, ErrorKind::kCorrupt, name_, "a layer declares more than ",
            kMaxWeights, " weights");
  }
  count_weights(count);
  const auto rows = static_cast<std::size_t>(w.shape[0]);
  const bool palette = version_ >= 2 && flag(has_palette_, !Coder::kDecodes && palette_pays(w));
  if (w.is_float()) {
    if constexpr (Coder::kDecodes) w.values.resize(count);
    if (palette) return with_palette(std::span(w.values), rows);
    floats(w.values, count / rows, w.bits);
    return;
  }
  const auto window = layer.kind == LayerKind::kDense
                          ? unflattened_
                          : std::array{w.shape[1], w.shape[2], w.shape[3]};
  const LevelShape shape{.outputs = rows,
                         .height = static_cast<std::size_t>(window[0]),
                         .width = static_cast<std::size_t>(window[1]),
                         .inputs = static_cast<std::size_t>(window[2])};
  const bool grows = Coder::kDecodes && !Coder::kPlain && !palette && count >= kFastFrom;
  if constexpr (Coder::kDecodes) {
    if (!grows) w.levels.resize(count);
  }
  if (palette)
    with_palette(std::span(w.levels), rows);
  else if (grows)
    row_by_row(layer, count, shape);
  else
    LevelCoder(coder_, std::span(w.levels), shape, w.bits, level_models_).code();

  const bool each = flag(a_scale_each_, w.scales.size() != 1);
  if constexpr (Coder::kDecodes) w.scales.resize(each ? rows : 1);
  // One scale of the logits changes no decision: often it is 1.
  if (!each && !last_has_grid_ && !flag(logits_scaled_, w.scales[0] != 1)) {
    set(w.scales[0], 1.0f);
    return;
  }
  for (auto& scale : w.scales) set(scale, code_scale(coder_, weight_scale_, scale));
}

// So that at no time all levels are there as well as all bytes that they come from: a row is made when it is
// decoded.
template <class Coder, class Model>
void Syntax<Coder, Model>::row_by_row(Layer& layer, std::uint64_t count, const LevelShape& shape) {
  if constexpr (Coder::kDecodes && !Coder::kPlain) {
    auto& levels = layer.weight.levels;
    levels.reserve(count);
    LevelCoder decoder(coder_, std::span(levels.data(), count), shape, layer.weight.bits,
                       level_models_);
    decoder.before_row = [&](std::size_t row, std::size_t bytes_read) {
      levels.resize((row + 1) * shape.columns());
      if (on_read) on_read(bytes_read);
    };
    decoder.code();
    levels.resize(count);
  }
}

// The distinct values, ascending, then each weight's place among them.
template <class Coder, class Model>
template <class T>
void Syntax<Coder, Model>::with_palette(std::span<T> values, std::size_t rows) {
  using Value = std::remove_const_t<T>;
  using Wide = std::conditional_t<std::is_same_v<Value, float>, float, int>;
  std::vector<Value> palette;
  std::vector<std::int8_t> ranks(values.size());
  if constexpr (!Coder::kDecodes) {
    palette = palette_of(std::span<const Value>(values), kMostColours);
    ranks = ranks_in(std::span<const Value>(values), palette);
  }
  const auto colours = static_cast<std::size_t>(
      number(colours_, static_cast<std::int64_t>(palette.size()), kMostColours));
  palette.resize(colours);
  Wide last = static_cast<Wide>(kNone);
  for (Value& value : palette) {
    last = colour(Wide{value}, last);
    require(sizeof(Value) > 1 || std::abs(last) <= 127, ErrorKind::kCorrupt, name_,
            "a palette's level is out of range");
    value = static_cast<Value>(last);
  }
  RankCoder(coder_, std::span(ranks), rows, colours).code();
  for (std::size_t i = 0; i < values.size(); ++i)
    set(values[i], ranks[i] == 0 ? Value{} : palette[std::min(place_of(ranks[i]), colours - 1)]);
}

template <class Coder, class Model>
void Syntax<Coder, Model>::bias(Layer& layer, std::size_t channels, bool integer) {
  if (!flag(has_bias_, !layer.bias.empty() || !layer.bias_levels.empty())) return;
  if (!integer) {
    if constexpr (Coder::kDecodes) layer.bias.resize(channels);
    floats(layer.bias, channels, layer.weight.bits);
    return;
  }
  const auto shift = code_signed(coder_, shift_, layer.bias_shift);
  require(0 <= shift && shift <= kMaxBiasShift, ErrorKind::kCorrupt, name_, "bias shift ", shift,
          " is over the limit of ", kMaxBiasShift);
  set(layer.bias_shift, shift);
  if constexpr (Coder::kDecodes) layer.bias_levels.resize(channels);
  bias_.forget();
  for (auto& level : layer.bias_levels) {
    const auto value = code_signed(coder_, bias_, level);
    require(std::in_range<std::int32_t>(value), ErrorKind::kCorrupt, name_,
            "a bias level over 32 bits");
    set(level, value);
  }
}

}  // namespace espalier::format
