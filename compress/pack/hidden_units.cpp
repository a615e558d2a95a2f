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

// Whether a layer has units of its own: a depthwise convolution's are those of the layer before it.
bool has_units(const PackedLayer& layer) {
  return layer.kind == LayerKind::kConv2d || layer.kind == LayerKind::kDense;
}

// Layers that share units: `all.front()` makes them, each depthwise convolution behind it has a
// kernel for each of them, and `consumer` takes them in.
struct Units {
  std::vector<PackedLayer*> all;
  PackedLayer* consumer = nullptr;
  std::size_t count() const { return static_cast<std::size_t>(all.front()->weight.shape[0]); }
};

// Those of layer `from`; without a consumer when something in between sees them.
Units units_of(format::PackedModel& model, std::size_t from) {
  Units units{{&model.layers[from]}, nullptr};
  if (!has_units(model.layers[from])) return units;
  const auto kept = format::kept_stages(model);
  for (std::size_t i = from + 1; i < model.layers.size(); ++i) {
    PackedLayer& layer = model.layers[i];
    if (kept[i] || layer.from != 1) break;
    if (has_units(layer)) return {std::move(units.all), &layer};
    const bool depthwise = layer.kind == LayerKind::kDepthwiseConv2d;
    // Behind a flatten each feature would be a channel.
    if (depthwise && layer.weight.shape[0] != model.layers[from].weight.shape[0]) break;
    if (format::moves(layer.kind) && !depthwise) break;
    if (depthwise) units.all.push_back(&layer);
  }
  return units;
}

// The innermost axis of the consumer's weights runs over the units: the channels of a convolution,
// the features of a dense layer, of which flatten lists the channels last.
bool reads(const PackedLayer& consumer, std::size_t units, std::size_t unit) {
  const auto& w = consumer.weight.levels;
  for (std::size_t i = unit; i < w.size(); i += units)
    if (w[i] != 0) return true;
  return false;
}

// Does the unit of `layer`, which itself hears something or only 0, put out anything but 0?
bool speaks(const PackedLayer& layer, std::size_t unit, bool hears) {
  const auto& w = layer.weight.levels;
  const std::size_t stride = w.size() / static_cast<std::size_t>(layer.weight.shape[0]);
  const auto row = w.begin() + static_cast<std::ptrdiff_t>(unit * stride);
  const auto is_weight = [](auto q) { return q != 0; };
  if (hears && std::any_of(row, row + static_cast<std::ptrdiff_t>(stride), is_weight)) return true;
  const std::int32_t bias = layer.bias_levels.empty() ? 0 : layer.bias_levels[unit];
  return layer.relu ? bias > 0 : bias != 0;
}

// Does anything but 0 arrive at the consumer?
bool speaks(const Units& units, std::size_t unit) {
  bool hears = true;
  for (const PackedLayer* layer : units.all) hears = speaks(*layer, unit, hears);
  return hears;
}

template <class T>
void erase_row(std::vector<T>& values, std::size_t unit, std::size_t stride) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(unit * stride);
  values.erase(begin, begin + static_cast<std::ptrdiff_t>(stride));
}

void remove(const Units& units, std::size_t unit) {
  const std::size_t count = units.count();
  for (PackedLayer* layer : units.all) {
    erase_row(layer->weight.levels, unit, layer->weight.levels.size() / count);
    if (layer->weight.scales.size() > 1) erase_row(layer->weight.scales, unit, 1);
    if (!layer->bias_levels.empty()) erase_row(layer->bias_levels, unit, 1);
    --layer->weight.shape[0];
  }
  std::size_t i = 0;
  std::erase_if(units.consumer->weight.levels, [&](std::int8_t) { return i++ % count == unit; });
  auto& inputs = units.consumer->weight.shape.back();
  inputs -= inputs / static_cast<std::int64_t>(count);
}

void require_levels(const format::PackedModel& model, std::string_view where) {
  const auto grids = format::stage_grids(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    require(!format::has_weight(layer.kind) ||
                takes_levels(layer, grids[format::input_stage(layer, i)]),
            where, "layer ", layer.name, " computes in floats: quantize first");
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

void reorder(const Units& units, const std::vector<std::size_t>& order) {
  for (PackedLayer* layer : units.all) {
    reorder_rows(layer->weight.levels, order, layer->weight.levels.size() / order.size());
    if (layer->weight.scales.size() > 1) reorder_rows(layer->weight.scales, order, 1);
    if (!layer->bias_levels.empty()) reorder_rows(layer->bias_levels, order, 1);
  }
  auto& read = units.consumer->weight.levels;
  const auto old = read;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const std::size_t unit = i % order.size();
    read[i] = old[i - unit + order[unit]];
  }
}

}  // namespace

void remove_dead_units(format::PackedModel& model) {
  require_levels(model, "remove_dead_units");
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      const Units units = units_of(model, i);
      const bool from_zero = std::ranges::all_of(
          units.all, [](const PackedLayer* layer) { return layer->output.zero_point == 0; });
      if (units.consumer == nullptr || !from_zero) continue;
      for (std::size_t u = units.count(); u-- > 0 && units.count() > 1;) {
        if (speaks(units, u) && reads(*units.consumer, units.count(), u)) continue;
        remove(units, u);
        changed = true;
      }
    }
  }
}

void sort_units(format::PackedModel& model) {
  require_levels(model, "sort_units");
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Units units = units_of(model, i);
    if (units.consumer == nullptr) continue;
    const std::size_t count = units.count();
    std::vector<std::size_t> nonzeros(count), order(count);
    for (const PackedLayer* layer : units.all) {
      const auto& w = layer->weight.levels;
      for (std::size_t k = 0; k < w.size(); ++k) nonzeros[k / (w.size() / count)] += w[k] != 0;
    }
    const auto& read = units.consumer->weight.levels;
    for (std::size_t k = 0; k < read.size(); ++k) nonzeros[k % count] += read[k] != 0;
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t u) { return nonzeros[u]; });
    reorder(units, order);
  }
}

}  // namespace espalier::pack
