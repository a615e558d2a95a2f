#include "compress/pack/hidden_units.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

#include "compress/format/wiring.hpp"
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
  const auto kept = format::kept_stages(model);
  for (std::size_t i = from + 1; i < model.layers.size(); ++i) {
    PackedLayer& layer = model.layers[i];
    if (kept[i] || layer.from != 1) return nullptr;
    if (has_weight(layer)) return &layer;
    if (format::moves(layer.kind)) return nullptr;
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

void require_levels(const format::PackedModel& model, std::string_view where) {
  const auto grids = format::stage_grids(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    require(!has_weight(layer) || takes_levels(layer, grids[format::input_stage(layer, i)]), where,
            "layer ", layer.name, " computes in floats: quantize first");
  }
}

// Rows of `stride` values in another order: row i comes from order[i].
template <class T>
void reorder_rows(std::vector<T>& values, const std::vector<std::size_t>& order,
                  std::size_t stride) {
  const std::vector<T> old = values;
  for (std::size_t i = 0; i < order.size(); ++i)
    std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(order[i] * stride), stride,
                values.begin() + static_cast<std::ptrdiff_t>(i * stride));
}

void reorder(PackedLayer& layer, PackedLayer& next, const std::vector<std::size_t>& order) {
  reorder_rows(layer.weight.levels, order, layer.weight.levels.size() / order.size());
  if (layer.weight.scales.size() > 1) reorder_rows(layer.weight.scales, order, 1);
  if (!layer.bias_levels.empty()) reorder_rows(layer.bias_levels, order, 1);
  const auto old = next.weight.levels;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const std::size_t unit = i % order.size();
    next.weight.levels[i] = old[i - unit + order[unit]];
  }
}

}  // namespace

void remove_dead_units(format::PackedModel& model) {
  require_levels(model, "remove_dead_units");
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

void sort_units(format::PackedModel& model) {
  require_levels(model, "sort_units");
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    PackedLayer& layer = model.layers[i];
    PackedLayer* next = has_weight(layer) ? consumer(model, i) : nullptr;
    if (next == nullptr) continue;
    const auto units = static_cast<std::size_t>(layer.weight.shape[0]);
    const std::size_t stride = layer.weight.levels.size() / units;
    std::vector<std::size_t> nonzeros(units), order(units);
    for (std::size_t k = 0; k < layer.weight.levels.size(); ++k)
      nonzeros[k / stride] += layer.weight.levels[k] != 0;
    for (std::size_t k = 0; k < next->weight.levels.size(); ++k)
      nonzeros[k % units] += next->weight.levels[k] != 0;
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t u) { return nonzeros[u]; });
    reorder(layer, *next, order);
  }
}

}  // namespace espalier::pack
