#include "compress/pack/remove_units.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace espalier::pack {
namespace {

using format::LayerKind;
using format::PackedLayer;

bool has_weight(const PackedLayer& layer) {
  return layer.kind == LayerKind::kConv2d || layer.kind == LayerKind::kDense;
}

// The layer that takes in the units of layer `from`; null when something in between sees them.
PackedLayer* consumer(format::PackedModel& model, std::size_t from) {
  for (std::size_t i = from + 1; i < model.layers.size(); ++i) {
    PackedLayer& layer = model.layers[i];
    if (has_weight(layer)) return &layer;
    if (layer.kind == LayerKind::kBatchNorm) return nullptr;
  }
  return nullptr;
}

// The innermost axis of the consumer's weights runs over the units: the channels of a convolution,
// the features of a dense layer, of which flatten lists the channels last.
bool reads(const PackedLayer& consumer, std::size_t units, std::size_t unit) {
  const auto& w = consumer.weight.levels;
  for (std::size_t i = unit; i < w.size(); i += units)
    if (w[i] != 0) return true;
  return false;
}

// Does the unit put out anything but its zero point?
bool speaks(const PackedLayer& layer, std::size_t unit) {
  const auto& w = layer.weight.levels;
  const std::size_t stride = w.size() / static_cast<std::size_t>(layer.weight.shape[0]);
  const auto row = w.begin() + static_cast<std::ptrdiff_t>(unit * stride);
  if (std::any_of(row, row + static_cast<std::ptrdiff_t>(stride), [](auto q) { return q != 0; }))
    return true;
  const std::int32_t bias = layer.bias_levels.empty() ? 0 : layer.bias_levels[unit];
  return layer.relu ? bias > 0 : bias != 0;
}

template <class T>
void erase_row(std::vector<T>& values, std::size_t unit, std::size_t stride) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(unit * stride);
  values.erase(begin, begin + static_cast<std::ptrdiff_t>(stride));
}

void remove(PackedLayer& layer, PackedLayer& next, std::size_t unit) {
  const auto units = static_cast<std::size_t>(layer.weight.shape[0]);
  erase_row(layer.weight.levels, unit, layer.weight.levels.size() / units);
  if (layer.weight.scales.size() > 1) erase_row(layer.weight.scales, unit, 1);
  if (!layer.bias_levels.empty()) erase_row(layer.bias_levels, unit, 1);
  --layer.weight.shape[0];
  std::size_t i = 0;
  std::erase_if(next.weight.levels, [&](std::int8_t) { return i++ % units == unit; });
  auto& inputs = next.weight.shape.back();
  inputs -= inputs / static_cast<std::int64_t>(units);
}

}  // namespace

void remove_dead_units(format::PackedModel& model) {
  for (const PackedLayer& layer : model.layers)
    require(!has_weight(layer) || !layer.weight.is_float(), "remove_dead_units", "layer ",
            layer.name, " is in float: quantize first");
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      PackedLayer& layer = model.layers[i];
      PackedLayer* next = has_weight(layer) ? consumer(model, i) : nullptr;
      if (next == nullptr || layer.output.zero_point != 0) continue;
      for (std::int64_t unit = layer.weight.shape[0]; unit-- > 0 && layer.weight.shape[0] > 1;) {
        const auto u = static_cast<std::size_t>(unit);
        if (speaks(layer, u) && reads(*next, static_cast<std::size_t>(layer.weight.shape[0]), u))
          continue;
        remove(layer, *next, u);
        changed = true;
      }
    }
  }
}

}  // namespace espalier::pack
