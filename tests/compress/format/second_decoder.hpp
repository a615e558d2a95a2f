// The C99 decoder behind the reader's types, so that the two can be compared.
#pragma once

#include <string>
#include <vector>

#include "compress/format/c99/esp_decode.h"
#include "compress/format/limits.hpp"
#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

// What both say of a model, if `status` is ESP_OK.
struct SecondReading {
  esp_status status = ESP_OK;
  std::size_t arena_bytes = 0;  // as the decoder tells
  PackedModel model;
};

inline ActivationGrid grid_of(const esp_grid& grid) {
  if (!grid.present) return {};
  return {grid.scale, grid.zero_point};
}

template <class T, class U>
void copy(std::vector<T>& to, const U* from, std::size_t count) {
  if (from != nullptr) to.assign(from, from + count);
}

inline PackedLayer layer_of(const esp_layer& from) {
  PackedLayer layer;
  layer.kind = static_cast<LayerKind>(from.kind);
  if (from.name.bytes != nullptr) layer.name.assign(from.name.bytes, from.name.count);
  const bool dense = layer.kind == LayerKind::kDense, conv = layer.kind == LayerKind::kConv2d;
  const esp_window& w = from.window;
  if (w.kernel[0] > 0) {
    layer.kernel_h = w.kernel[0], layer.kernel_w = w.kernel[1];
    layer.stride_h = w.stride[0], layer.stride_w = w.stride[1];
    layer.pad_top = w.padding[0], layer.pad_left = w.padding[1];
    layer.pad_bottom = w.padding[2], layer.pad_right = w.padding[3];
  }
  layer.relu = from.relu != 0;
  layer.output = grid_of(from.grid);
  if (layer.kind == LayerKind::kBatchNorm) {
    copy(layer.multiplier, from.weights, from.input.c);
    copy(layer.offset, from.bias, from.input.c);
  }
  if (!dense && !conv) return layer;
  layer.weight.bits = from.bits > 0 ? from.bits : 32;
  if (dense)
    layer.weight.shape = {from.output.c, from.input.c};
  else
    layer.weight.shape = {from.output.c, w.kernel[0], w.kernel[1], from.input.c};
  copy(layer.weight.levels, from.levels, from.weight_count);
  copy(layer.weight.values, from.weights, from.weight_count);
  copy(layer.weight.scales, from.scales, from.scale_count);
  copy(layer.bias, from.bias, from.output.c);
  copy(layer.bias_levels, from.bias_levels, from.output.c);
  layer.bias_shift = from.bias_shift;
  return layer;
}

// Decodes into an arena of exactly `arena_bytes`, at `misaligned` bytes past a good address: a
// sanitizer sees every byte beyond it.
inline SecondReading read_second_in(std::span<const std::uint8_t> file, std::size_t arena_bytes,
                                    std::uint64_t most_weights = kMaxWeights,
                                    std::size_t misaligned = 0) {
  std::vector<std::uint8_t> arena(arena_bytes + misaligned);
  esp_model decoded;
  SecondReading reading;
  reading.status = esp_decode(file.data(), file.size(), arena.data() + misaligned, arena_bytes,
                              most_weights, &decoded);
  reading.arena_bytes = decoded.arena_bytes;
  if (reading.status != ESP_OK) return reading;
  PackedModel& model = reading.model;
  model.input_shape = {decoded.input.h, decoded.input.w, decoded.input.c};
  model.input_mean = decoded.mean, model.input_deviation = decoded.deviation;
  model.input = grid_of(decoded.grid);
  for (std::uint32_t i = 0; i < decoded.label_count; ++i)
    model.labels.emplace_back(decoded.labels[i].bytes, decoded.labels[i].count);
  for (const esp_layer* layer = decoded.layers; layer != nullptr; layer = layer->next)
    model.layers.push_back(layer_of(*layer));
  return reading;
}

// With as much arena as it asks for.
inline SecondReading read_second(std::span<const std::uint8_t> file,
                                 std::uint64_t most_weights = kMaxWeights) {
  std::size_t arena_bytes = 1 << 16;
  while (true) {
    auto reading = read_second_in(file, arena_bytes, most_weights);
    if (reading.status != ESP_ARENA) return reading;
    arena_bytes = 2 * reading.arena_bytes;
  }
}

}  // namespace espalier::format
