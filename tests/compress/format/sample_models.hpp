// One small model for every branch of the format, shared by the format's tests and the fuzz seeds.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compress/format/checksum.hpp"
#include "compress/format/packed_model.hpp"
#include "compress/format/plain_coder.hpp"
#include "compress/format/syntax.hpp"
#include "compress/format/writer.hpp"
#include "core/base/rng.hpp"

namespace espalier::format::samples {

inline PackedLayer weighted(LayerKind kind, std::vector<std::int64_t> shape, int bits,
                            double density) {
  Rng rng(5, "weights");
  PackedLayer layer;
  layer.kind = kind;
  std::int64_t count = 1;
  for (auto v : shape) count *= v;
  layer.weight.shape = shape;
  layer.weight.bits = bits;
  const auto rows = static_cast<std::size_t>(shape[0]);
  const int top = bits == 32 ? 0 : (1 << (bits - 1)) - 1;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool zero = rng.uniform() >= density;
    if (bits == 32)
      layer.weight.values.push_back(zero ? 0.0f : rng.uniform() - 0.5f);
    else
      layer.weight.levels.push_back(static_cast<std::int8_t>(
          zero ? 0 : static_cast<int>(rng.below(static_cast<std::uint64_t>(2 * top + 1))) - top));
  }
  if (bits == 32)
    layer.bias.assign(rows, -0.0f);
  else
    layer.weight.scales.assign(rows, 0.01f), layer.bias_levels.assign(rows, -70000);
  return layer;
}

// Convolution, both pools, batch norm, relu, flatten, dense; names, labels, grids, mean, deviation.
inline PackedModel network(int bits, double density) {
  PackedModel model;
  model.input_shape = {9, 8, 2};
  model.input_mean = 0.13f, model.input_deviation = 0.31f;
  model.labels = {"zero", "", "two"};
  auto conv = weighted(LayerKind::kConv2d, {5, 3, 2, 2}, bits, density);
  conv.name = "conv1";
  conv.kernel_h = 3, conv.kernel_w = 2, conv.stride_w = 2, conv.pad_left = 1, conv.relu = true;
  PackedLayer pool, average, norm, relu, flatten;
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  average.kind = LayerKind::kAveragePool2d;
  average.kernel_h = 2, average.pad_bottom = 1;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier.assign(5, 1.5f), norm.offset = {0, 1, -2, 3, 0};
  relu.kind = LayerKind::kRelu;
  flatten.kind = LayerKind::kFlatten;
  auto dense = weighted(LayerKind::kDense, {3, 30}, bits, density);
  if (bits < 32) {
    model.input = {1.0f / 127, 64};
    conv.output.scale = 0.1f;
    norm.output.scale = 0.2f;
    dense.weight.scales = {0.5f}, dense.bias_levels.clear();
  }
  model.layers = {conv, pool, average, norm, relu, flatten, dense};
  return model;
}

// The worked example of FORMAT.md.
inline PackedModel worked_example() {
  PackedModel model;
  model.input_shape = {1, 1, 4};
  PackedLayer dense;
  dense.weight = {{2, 4}, 2, {}, {1, 0, 0, -1, 0, 0, 1, 0}, {0.5f}};
  dense.bias_levels = {3, -1};
  model.input.scale = 0.25f;
  model.layers = {dense};
  return model;
}

// More levels than the careful profile takes, nearly all zero.
inline PackedModel large_layer() {
  PackedModel model;
  model.input_shape = {1, 1, 260};
  model.layers = {weighted(LayerKind::kDense, {256, 260}, 4, 0.0003)};
  model.layers[0].weight.scales = {1}, model.layers[0].bias_levels.clear();
  model.input.scale = 0.5f;
  return model;
}

// Like the records: LeNet-5-Caffe with 8, 16 and 32 units, sparse, short scales, one grid, no bias.
inline PackedModel lenet5() {
  PackedModel model;
  model.input_shape = {28, 28, 1};
  model.input = {1.0f / 127, 0};
  PackedLayer pool, flatten;
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  flatten.kind = LayerKind::kFlatten;
  const auto hidden = [&](LayerKind kind, std::vector<std::int64_t> shape, float scale) {
    PackedLayer layer = weighted(kind, std::move(shape), 3, 0.06);
    if (kind == LayerKind::kConv2d) layer.kernel_h = layer.kernel_w = 5;
    layer.weight.scales = {scale}, layer.bias_levels.clear();
    layer.output = model.input, layer.relu = true;
    return layer;
  };
  auto logits = hidden(LayerKind::kDense, {10, 32}, 1);
  logits.output = {}, logits.relu = false;
  model.layers = {hidden(LayerKind::kConv2d, {8, 5, 5, 1}, 0.03125f),
                  pool,
                  hidden(LayerKind::kConv2d, {16, 5, 5, 8}, 0.01171875f),
                  pool,
                  flatten,
                  hidden(LayerKind::kDense, {32, 256}, 0.0078125f),
                  logits};
  return model;
}

// A third of the weights zero, the others of `colours` levels that lie unevenly, as clustering
// leaves them: 8 bits, or floats.
inline PackedModel clustered(bool floats, int colours) {
  PackedModel model = network(floats ? 32 : 8, 0.3);
  Rng rng(9, "clusters");
  const auto value = [&](std::size_t k) {  // -121 to 120
    return static_cast<int>((k * k * 7919 + 31 * k) % 242) - 121;
  };
  for (auto& layer : model.layers) {
    auto& w = layer.weight;
    const std::size_t count = std::max(w.levels.size(), w.values.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto k =
          static_cast<std::size_t>(rng.below(static_cast<std::uint64_t>(colours) * 3 / 2));
      const int level = k < static_cast<std::size_t>(colours) ? value(k) : 0;
      if (floats)
        w.values[i] = static_cast<float>(level) / 256;
      else
        w.levels[i] = static_cast<std::int8_t>(level);
    }
  }
  return model;
}
// Enough weights for either profile: 2,600 and 67,600.
inline PackedModel clustered_dense(bool floats, std::int64_t outputs, int colours) {
  PackedModel model;
  model.input_shape = {1, 1, 260};
  model.layers = {weighted(LayerKind::kDense, {outputs, 260}, floats ? 32 : 8, 1)};
  auto& w = model.layers[0].weight;
  model.layers[0].bias_levels.clear(), model.layers[0].bias.clear();
  if (!floats) w.scales = {1}, model.input.scale = 0.5f;
  Rng rng(11, "clusters");
  for (std::size_t i = 0; i < std::max(w.levels.size(), w.values.size()); ++i) {
    const auto k = static_cast<int>(rng.below(static_cast<std::uint64_t>(colours)));
    const int level = k == 0 ? 0 : (k * k * 37) % 251 - 125;
    if (floats)
      w.values[i] = static_cast<float>(level) / 128;
    else
      w.levels[i] = static_cast<std::int8_t>(level);
  }
  return model;
}

// Float weights and biases of 16 bits: the smallest, subnormal and largest of them, and -0.
inline PackedModel halves() {
  PackedModel model = network(32, 0.3);
  for (auto& layer : model.layers) {
    if (layer.weight.shape.empty()) continue;
    layer.weight.bits = 16;
    for (float& v : layer.weight.values) v = from_half(to_half(v));
    for (std::size_t i = 0; i < layer.bias.size(); ++i)
      layer.bias[i] = from_half(static_cast<std::uint16_t>(0x3C00 + 0x111 * i));
  }
  model.layers[0].weight.values[0] = 0x1p-24f;
  model.layers[0].weight.values[1] = -0x3FFp-24f;
  model.layers[0].weight.values[2] = -kMaxHalf;
  model.layers[0].weight.values[3] = -0.0f;
  return model;
}

// Dynamic range: levels as weights, everything else floats.
inline PackedModel dynamic_range(int bits) {
  PackedModel model = network(bits, 0.3);
  model.input = {};
  for (auto& layer : model.layers) {
    layer.output = {};
    if (layer.weight.shape.empty()) continue;
    layer.bias_levels.clear();
    for (std::int64_t o = 0; o < layer.weight.shape[0]; ++o)
      layer.bias.push_back(0.37f * static_cast<float>(o - 1));
  }
  return model;
}

// Every crossing: levels into a float convolution, floats out of it through a pool into a batch norm
// that yields levels, these into an integer dense layer that yields floats, and a dense layer of
// 16 bits behind it.
inline PackedModel crossings() {
  PackedModel model = network(32, 0.3);
  model.input = {1.0f / 127, 0};
  for (auto& layer : model.layers) layer.bias.clear();
  auto& norm = model.layers[3];
  norm.output = {0.03125f, 40};
  auto& hidden = model.layers[6];
  hidden = weighted(LayerKind::kDense, {6, 30}, 4, 0.5);
  hidden.bias_levels = {1, -2, 3, 0, 5, 900}, hidden.relu = true;
  auto logits = weighted(LayerKind::kDense, {3, 6}, 32, 1);
  logits.weight.bits = 16;
  for (float& v : logits.weight.values) v = from_half(to_half(v));
  logits.bias = {0.5f, 0, -1};
  model.layers.push_back(logits);
  return model;
}

// Version 3: a convolution, a depthwise one behind it, their sum; a second sum of a projection and of
// what was before, over three stages; bits 32: floats.
inline PackedModel branches(int bits) {
  PackedModel model;
  model.input_shape = {6, 5, 2};
  const auto conv = [&](LayerKind kind, std::vector<std::int64_t> shape, std::int64_t pad) {
    PackedLayer layer = weighted(kind, shape, bits, 0.5);
    layer.kernel_h = shape[1], layer.kernel_w = shape[2];
    layer.pad_top = layer.pad_left = layer.pad_bottom = layer.pad_right = pad;
    if (bits < 32) layer.output = {0.125f, 40}, layer.bias_levels.assign(3, 700);
    return layer;
  };
  auto first = conv(LayerKind::kConv2d, {3, 3, 3, 2}, 1);
  auto depthwise = conv(LayerKind::kDepthwiseConv2d, {3, 3, 3, 1}, 1);
  depthwise.relu = true;
  if (bits < 32) depthwise.output = {0.0625f, 0};
  PackedLayer sum;
  sum.kind = LayerKind::kResidual;
  sum.with = 2, sum.relu = true;
  if (bits < 32) sum.output = {0.1875f, 0};
  auto projection = conv(LayerKind::kConv2d, {3, 1, 1, 3}, 0);
  projection.from = 3;
  PackedLayer second = sum;
  second.relu = false, second.with = 2;
  if (bits < 32) second.output = {0.25f, 60};
  PackedLayer flatten;
  flatten.kind = LayerKind::kFlatten;
  auto dense = weighted(LayerKind::kDense, {4, 90}, bits, 0.5);
  if (bits < 32) dense.weight.scales = {0.5f}, dense.bias_levels.clear();
  model.layers = {first, depthwise, sum, projection, second, flatten, dense};
  if (bits < 32) model.input = {1.0f / 127, 0};
  return model;
}

// tests/golden/v1: name and model. Floats are exact everywhere: no logarithm made them.
struct Golden {
  std::string name;
  PackedModel model;
  Coding coding;
};
inline std::vector<Golden> golden() {
  std::vector<Golden> all{{"worked_example.esp", worked_example(), Coding::kRange},
                          {"worked_example_plain.esp", worked_example(), Coding::kPlain},
                          {"lenet5.esp", lenet5(), Coding::kRange},
                          {"large_layer.esp", large_layer(), Coding::kRange}};
  for (const int bits : {2, 4, 8, 32}) {
    const std::string name = "network_" + std::to_string(bits);
    all.push_back({name + ".esp", network(bits, 0.3), Coding::kRange});
    all.push_back({name + "_plain.esp", network(bits, 0.3), Coding::kPlain});
  }
  return all;
}

// tests/golden/v2: what version 1 does not store, or in more bytes.
inline std::vector<Golden> golden_v2() {
  std::vector<Golden> all;
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    const std::string end = coding == Coding::kPlain ? "_plain.esp" : ".esp";
    all.push_back({"clustered_8" + end, clustered_dense(false, 10, 16), coding});
    all.push_back({"clustered_32" + end, clustered_dense(true, 10, 16), coding});
    all.push_back({"network_clustered_32" + end, clustered(true, 5), coding});
    all.push_back({"halves" + end, halves(), coding});
    all.push_back({"dynamic_range_8" + end, dynamic_range(8), coding});
    all.push_back({"dynamic_range_3" + end, dynamic_range(3), coding});
    all.push_back({"crossings" + end, crossings(), coding});
  }
  all.push_back({"clustered_large_32.esp", clustered_dense(true, 260, 200), Coding::kRange});
  return all;
}

// Rows of a table in, one number out.
inline PackedModel number_of_columns() {
  PackedModel model;
  model.input_shape = {1, 1, 3};
  PackedLayer dense;
  dense.weight.shape = {1, 3};
  dense.weight.values = {0.5f, -1.25f, 2};
  model.layers = {dense};
  model.columns = {{-1.5f, 0.25f}, {1e6f, 3e4f}, {7, 0}};
  model.target = Scaling{31.25f, 0.125f};
  return model;
}

inline PackedModel named_columns() {
  PackedModel model = number_of_columns();
  model.column_names = {"size, m\u00b2", "", "weight"};
  model.label_name = "price";
  return model;
}

// tests/golden/v3: branches, depthwise convolutions, columns.
inline std::vector<Golden> golden_v3() {
  std::vector<Golden> all;
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    const std::string end = coding == Coding::kPlain ? "_plain.esp" : ".esp";
    all.push_back({"branches_4" + end, branches(4), coding});
    all.push_back({"branches_32" + end, branches(32), coding});
    all.push_back({"columns" + end, number_of_columns(), coding});
    all.push_back({"named_columns" + end, named_columns(), coding});
  }
  return all;
}

// Every width, coding and profile.
inline std::vector<Bytes> files() {
  std::vector<Bytes> files;
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    files.push_back(write(worked_example(), coding));
    for (const int bits : {2, 4, 8, 32}) files.push_back(write(network(bits, 0.3), coding));
  }
  for (const auto coding : {Coding::kPlain, Coding::kRange})
    for (const bool floats : {false, true})
      files.push_back(write(clustered_dense(floats, 1, 16), coding));
  for (const auto coding : {Coding::kPlain, Coding::kRange})
    for (const auto& model : {halves(), dynamic_range(4), crossings(), branches(4), branches(32),
                              number_of_columns(), named_columns()})
      files.push_back(write(model, coding));
  files.push_back(write(large_layer()));
  files.push_back(write(lenet5()));
  return files;
}

// `bytes` with the checksum made good.
inline Bytes sealed(const Bytes& bytes) {
  const std::size_t checksum = checksum_bytes(bytes.size());
  if (bytes.size() < checksum) return bytes;
  ByteWriter out;
  out.raw(std::span(bytes).first(bytes.size() - checksum));
  seal(out);
  return out.release();
}

// What write() makes of a model, valid or not.
inline Bytes unchecked(const PackedModel& model, Coding coding, int version = 1) {
  const auto payload = [&](auto coder) {
    try {
      Syntax syntax(coder, model, "unchecked", kMaxWeights, version);
      syntax.head();
      for (std::size_t i = 0; syntax.layer(i);) ++i;
    } catch (const Error&) {  // the reader meets what stopped the writer
    }
    return coder.finish();
  };
  ByteWriter out;
  out.u8(first_byte(version, coding));
  out.raw(coding == Coding::kRange ? payload(RangeEncoder()) : payload(PlainEncoder()));
  seal(out);
  return out.release();
}

}  // namespace espalier::format::samples
