#include "compress/descent/incremental_network.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::descent {
namespace {

using format::LayerKind;
using format::PackedLayer;

std::int32_t bias_of(const PackedLayer& layer, std::size_t channel) {
  if (layer.bias_levels.empty()) return 0;
  return layer.bias_levels[channel] * (std::int32_t{1} << layer.bias_shift);
}

// Where the output of window row (or column) `k` stands that sees input row `at`; -1: none does.
std::int64_t output_of(std::int64_t at, std::int64_t k, std::int64_t pad, std::int64_t stride,
                       std::int64_t outputs) {
  const std::int64_t top = at + pad - k;
  return top >= 0 && top % stride == 0 && top / stride < outputs ? top / stride : -1;
}

}  // namespace

IncrementalNetwork::IncrementalNetwork(format::PackedModel model, const Tensor& images)
    : model_(std::move(model)) {
  format::validate(model_, ErrorKind::kUsage, "IncrementalNetwork");
  const auto& s = model_.input_shape;
  require(!model_.input.is_float(), "IncrementalNetwork", "wants a model of integers");
  require(images.shape().rank() == 4 && images.shape()[1] == s[0] && images.shape()[2] == s[1] &&
              images.shape()[3] == s[2],
          "IncrementalNetwork", "the model wants images [N ", s[0], " ", s[1], " ", s[2], "], got ",
          images.shape());
  images_ = images.shape()[0];
  lay_out();
  const auto pixels = images.values();
  const std::size_t each =
      pixels.size() / static_cast<std::size_t>(std::max<std::int64_t>(images_, 1));
  for (std::int64_t n = 0; n < images_; ++n) {
    for (std::size_t i = 0; i < each; ++i) {
      const float x = (pixels[static_cast<std::size_t>(n) * each + i] - model_.input_mean) /
                      model_.input_deviation;
      levels_[index_of(n, i)] = static_cast<std::uint8_t>(
          kernels::activation_level(x, model_.input.scale, model_.input.zero_point));
    }
    begin(n);
  }
}

void IncrementalNetwork::lay_out() {
  const auto stages = runtime::stages(model_, ErrorKind::kUsage, "IncrementalNetwork");
  std::size_t last = 0;
  levels_each_ = static_cast<std::size_t>(stages.front().elements());
  for (std::size_t i = 0; i < model_.layers.size(); ++i) {
    const PackedLayer& layer = model_.layers[i];
    require(layer.kind != LayerKind::kBatchNorm, "IncrementalNetwork", "layer '", layer.name,
            "' is batch norm: fold it into the layer before it");
    require(layer.from == 1 && layer.kind != LayerKind::kResidual, "IncrementalNetwork",
            format::title_of(layer, i),
            " reads another stage than the one before it; descent follows chains alone");
    Place place{.in = stages[i].shape, .out = stages[i + 1].shape, .input = last};
    const auto elements = static_cast<std::size_t>(stages[i + 1].elements());
    place.input_zero = stages[i].grid.zero_point;
    if (layer.kind == LayerKind::kFlatten) {
      place.output = last;  // the same levels in the same order
    } else {
      place.output = std::exchange(levels_each_, levels_each_ + elements);
    }
    if (format::has_weight(layer.kind)) {
      require(format::takes_levels(layer, stages[i].grid), "IncrementalNetwork", "layer '",
              layer.name, "' computes in floats; wants a model of integers");
      place.sums = std::exchange(sums_each_, sums_each_ + elements);
      const auto channels = static_cast<std::size_t>(place.out[2]);
      for (std::size_t c = 0; c < channels; ++c) {
        const auto& scales = layer.weight.scales;
        const float scale = scales[scales.size() == 1 ? 0 : c], from = stages[i].grid.scale;
        place.multipliers.push_back(layer.output.is_float() ? from * scale
                                                            : kernels::requantize_multiplier(
                                                                  from, scale, layer.output.scale));
      }
      require(!layer.output.is_float() || i + 1 == model_.layers.size(), "IncrementalNetwork",
              "layer '", layer.name, "' yields logits and is not the last");
      classes_ = elements;
    }
    place.seen.resize(elements);
    last = place.output;
    places_.push_back(std::move(place));
    list_taps(i);
  }
  levels_.resize(static_cast<std::size_t>(images_) * levels_each_);
  sums_.resize(static_cast<std::size_t>(images_) * sums_each_);
  logits_.resize(static_cast<std::size_t>(images_) * classes_);
  answer_.resize(classes_);
}

void IncrementalNetwork::list_taps(std::size_t index) {
  const PackedLayer& layer = model_.layers[index];
  if (!format::has_weight(layer.kind)) return;
  auto& taps = places_[index].taps;
  taps.assign(static_cast<std::size_t>(places_[index].in[2]), {});
  const auto& w = layer.weight.levels;
  const bool depthwise = layer.kind == LayerKind::kDepthwiseConv2d;
  const std::size_t inputs = depthwise ? 1 : taps.size(),
                    width = static_cast<std::size_t>(layer.kernel_w),
                    height = static_cast<std::size_t>(layer.kernel_h);
  for (std::size_t k = 0; k < w.size(); ++k) {
    if (w[k] == 0) continue;
    const std::size_t output = k / inputs / width / height;
    taps[depthwise ? output : k % inputs].push_back(
        {static_cast<std::uint32_t>(output),
         static_cast<std::uint32_t>(k / inputs / width % height),
         static_cast<std::uint32_t>(k / inputs % width), w[k]});
  }
}

std::span<const float> IncrementalNetwork::logits(std::int64_t image) const {
  return std::span(logits_).subspan(static_cast<std::size_t>(image) * classes_, classes_);
}

// From the input's levels: what every later change starts from.
void IncrementalNetwork::begin(std::int64_t n) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    const PackedLayer& layer = model_.layers[i];
    ++time_;
    touched_.clear();
    if (format::has_weight(layer.kind)) {
      const std::size_t channels = place.multipliers.size();
      for (std::size_t o = 0; o < place.seen.size(); ++o)
        sums_[index_of(n, place.sums + o)] = bias_of(layer, o % channels);
      deltas_.clear();
      const std::size_t inputs = static_cast<std::size_t>(place.in[0] * place.in[1] * place.in[2]);
      for (std::size_t k = 0; k < inputs; ++k)
        deltas_.push_back({static_cast<std::uint32_t>(k),
                           levels_[index_of(n, place.input + k)] - place.input_zero});
      linear(i, n);
      for (std::size_t o = 0; o < place.seen.size(); ++o) touch(place, o);
      settle(i, n);
    } else if (format::has_window(layer.kind)) {
      for (std::uint32_t o = 0; o < place.seen.size(); ++o) set_level(place, n, o, pooled(i, n, o));
    } else if (layer.kind == LayerKind::kRelu) {
      for (std::uint32_t o = 0; o < place.seen.size(); ++o)
        set_level(place, n, o,
                  std::max<std::int32_t>(levels_[index_of(n, place.input + o)], place.input_zero));
    }
  }
  old_levels_.clear();
  old_sums_.clear();
  std::ranges::copy(answer_, logits_.begin() + n * static_cast<std::int64_t>(classes_));
}

std::span<const float> IncrementalNetwork::logits_after(const Change& change, std::int64_t image) {
  apply(change, image);
  undo();
  return answer_;
}

void IncrementalNetwork::make(const Change& change) {
  for (std::int64_t n = 0; n < images_; ++n) {
    apply(change, n);
    std::ranges::copy(answer_, logits_.begin() + n * static_cast<std::int64_t>(classes_));
    old_levels_.clear();
    old_sums_.clear();
  }
  PackedLayer& layer = model_.layers[change.layer];
  if (change.bias) {
    layer.bias_levels[change.index] += change.by;
  } else {
    auto& level = layer.weight.levels[change.index];
    level = static_cast<std::int8_t>(level + change.by);
    list_taps(change.layer);
  }
}

void IncrementalNetwork::apply(const Change& change, std::int64_t n) {
  ++time_;
  std::ranges::copy(logits(n), answer_.begin());
  touched_.clear();
  change_sums(change, n);
  settle(change.layer, n);
  for (std::size_t i = change.layer + 1; i < places_.size() && !deltas_.empty(); ++i) pass_on(i, n);
}

// Each place is logged once at most, so that the order does not matter.
void IncrementalNetwork::undo() {
  for (const auto& [at, value] : old_levels_) levels_[at] = value;
  for (const auto& [at, value] : old_sums_) sums_[at] = value;
  old_levels_.clear();
  old_sums_.clear();
}

void IncrementalNetwork::change_sums(const Change& change, std::int64_t n) {
  Place& place = places_[change.layer];
  const PackedLayer& layer = model_.layers[change.layer];
  const auto [out_h, out_w, channels] = place.out;
  if (change.bias) {
    const std::int32_t by = change.by * (std::int32_t{1} << layer.bias_shift);
    for (std::int64_t p = 0; p < out_h * out_w; ++p)
      add(place, n, static_cast<std::size_t>(p * channels) + change.index, by);
    return;
  }
  const auto [in_h, in_w, inputs] = place.in;
  const bool depthwise = layer.kind == LayerKind::kDepthwiseConv2d;
  const std::int64_t of_output = depthwise ? 1 : inputs;
  const auto k = static_cast<std::int64_t>(change.index);
  const std::int64_t x = k / of_output % layer.kernel_w,
                     y = k / of_output / layer.kernel_w % layer.kernel_h,
                     o = k / of_output / layer.kernel_w / layer.kernel_h,
                     i = depthwise ? o : k % inputs;
  for (std::int64_t p = 0; p < out_h; ++p) {
    const std::int64_t row = p * layer.stride_h - layer.pad_top + y;
    if (row < 0 || row >= in_h) continue;
    for (std::int64_t q = 0; q < out_w; ++q) {
      const std::int64_t column = q * layer.stride_w - layer.pad_left + x;
      if (column < 0 || column >= in_w) continue;
      const auto at = static_cast<std::size_t>((row * in_w + column) * inputs + i);
      const std::int32_t seen = levels_[index_of(n, place.input + at)] - place.input_zero;
      if (seen != 0)
        add(place, n, static_cast<std::size_t>((p * out_w + q) * channels + o), seen * change.by);
    }
  }
}

void IncrementalNetwork::pass_on(std::size_t index, std::int64_t n) {
  touched_.clear();
  const PackedLayer& layer = model_.layers[index];
  if (format::has_weight(layer.kind)) {
    linear(index, n);
    settle(index, n);
  } else if (format::has_window(layer.kind)) {
    pool(index, n);
  } else if (layer.kind == LayerKind::kRelu) {
    const Place& place = places_[index];
    const std::vector<Delta> changed = std::exchange(deltas_, {});
    for (const Delta& d : changed)
      set_level(place, n, d.at,
                std::max<std::int32_t>(levels_[index_of(n, place.input + d.at)], place.input_zero));
  }  // flatten: the same deltas
}

void IncrementalNetwork::linear(std::size_t index, std::int64_t n) {
  Place& place = places_[index];
  const PackedLayer& layer = model_.layers[index];
  const auto [in_h, in_w, inputs] = place.in;
  const auto [out_h, out_w, channels] = place.out;
  for (const Delta& d : deltas_) {
    if (d.by == 0) continue;
    const auto at = static_cast<std::int64_t>(d.at);
    const auto& taps = place.taps[static_cast<std::size_t>(at % inputs)];
    if (layer.kind == LayerKind::kDense) {
      for (const Tap& tap : taps) add(place, n, tap.output, d.by * tap.level);
      continue;
    }
    const std::int64_t row = at / inputs / in_w, column = at / inputs % in_w;
    for (const Tap& tap : taps) {
      const auto p = output_of(row, tap.y, layer.pad_top, layer.stride_h, out_h);
      const auto q = output_of(column, tap.x, layer.pad_left, layer.stride_w, out_w);
      if (p >= 0 && q >= 0)
        add(place, n, static_cast<std::size_t>((p * out_w + q) * channels) + tap.output,
            d.by * tap.level);
    }
  }
}

void IncrementalNetwork::settle(std::size_t index, std::int64_t n) {
  const Place& place = places_[index];
  const PackedLayer& layer = model_.layers[index];
  const std::size_t channels = place.multipliers.size();
  deltas_.clear();
  for (const std::uint32_t o : touched_) {
    const std::int32_t sum = sums_[index_of(n, place.sums + o)];
    const float multiplier = place.multipliers[o % channels];
    if (layer.output.is_float()) {
      const float real = static_cast<float>(sum) * multiplier;
      answer_[o] = layer.relu ? std::max(real, 0.0f) : real;
    } else {
      const std::int32_t zero = layer.output.zero_point;
      set_level(place, n, o, kernels::requantize(sum, multiplier, zero, layer.relu ? zero : 0));
    }
  }
}

void IncrementalNetwork::pool(std::size_t index, std::int64_t n) {
  Place& place = places_[index];
  const PackedLayer& layer = model_.layers[index];
  const auto [in_h, in_w, channels] = place.in;
  const auto [out_h, out_w, same] = place.out;
  for (const Delta& d : deltas_) {
    const auto at = static_cast<std::int64_t>(d.at);
    const std::int64_t c = at % channels, row = at / channels / in_w, column = at / channels % in_w;
    for (std::int64_t y = 0; y < layer.kernel_h; ++y) {
      const auto p = output_of(row, y, layer.pad_top, layer.stride_h, out_h);
      if (p < 0) continue;
      for (std::int64_t x = 0; x < layer.kernel_w; ++x) {
        const auto q = output_of(column, x, layer.pad_left, layer.stride_w, out_w);
        if (q >= 0) touch(place, static_cast<std::size_t>((p * out_w + q) * channels + c));
      }
    }
  }
  deltas_.clear();
  for (const std::uint32_t o : touched_) set_level(place, n, o, pooled(index, n, o));
}

// Maximum, or mean of what the window sees of the image.
std::int32_t IncrementalNetwork::pooled(std::size_t index, std::int64_t n,
                                        std::uint32_t output) const {
  const Place& place = places_[index];
  const PackedLayer& layer = model_.layers[index];
  const auto [in_h, in_w, channels] = place.in;
  const std::int64_t c = output % channels, p = output / channels / place.out[1],
                     q = output / channels % place.out[1];
  const std::int64_t top = p * layer.stride_h - layer.pad_top,
                     left = q * layer.stride_w - layer.pad_left;
  std::int32_t largest = 0, sum = 0, count = 0;
  for (std::int64_t h = std::max<std::int64_t>(top, 0); h < std::min(top + layer.kernel_h, in_h);
       ++h)
    for (std::int64_t w = std::max<std::int64_t>(left, 0);
         w < std::min(left + layer.kernel_w, in_w); ++w) {
      const auto at = static_cast<std::size_t>((h * in_w + w) * channels + c);
      const std::int32_t level = levels_[index_of(n, place.input + at)];
      largest = std::max(largest, level);
      sum += level;
      ++count;
    }
  return layer.kind == LayerKind::kMaxPool2d ? largest : kernels::average_level(sum, count);
}

bool IncrementalNetwork::touch(Place& place, std::size_t output) {
  if (place.seen[output] == time_) return false;
  place.seen[output] = time_;
  touched_.push_back(static_cast<std::uint32_t>(output));
  return true;
}

void IncrementalNetwork::add(Place& place, std::int64_t n, std::size_t output, std::int32_t by) {
  std::int32_t& sum = sums_[index_of(n, place.sums + output)];
  if (touch(place, output)) old_sums_.emplace_back(index_of(n, place.sums + output), sum);
  sum += by;
}

void IncrementalNetwork::set_level(const Place& place, std::int64_t n, std::uint32_t output,
                                   std::int32_t level) {
  std::uint8_t& old = levels_[index_of(n, place.output + output)];
  if (level == old) return;
  old_levels_.emplace_back(index_of(n, place.output + output), old);
  deltas_.push_back({output, level - old});
  old = static_cast<std::uint8_t>(level);
}

}  // namespace espalier::descent
