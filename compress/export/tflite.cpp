#include "compress/export/tflite.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/export/network.hpp"
#include "compress/export/tflite_graph.hpp"
#include "core/base/error.hpp"

namespace espalier::exports {
namespace {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;
using Dims = TfliteGraph::Dims;
using Fields = std::vector<Flat::Field>;

std::int32_t i32(std::int64_t v) {
  return static_cast<std::int32_t>(v);
}
Dims batch_of(const Shape& s) {
  return {-1, i32(s[0]), i32(s[1]), i32(s[2])};
}
TfliteGrid grid_of(const ActivationGrid& g) {
  return g.is_float() ? TfliteGrid{} : TfliteGrid{{g.scale}, g.zero_point};
}
TfliteType type_of(const ActivationGrid& g) {
  return g.is_float() ? TfliteType::kFloat32 : TfliteType::kInt8;
}

// Whether SAME pads an axis so: as little as makes the output ceil(in / stride), the odd one behind.
bool same(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t before,
          std::int64_t behind) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + kernel - in);
  return before == total / 2 && behind == total - total / 2;
}

class Writer {
 public:
  explicit Writer(const Network& network) : network_(network) {}
  Bytes file(const std::string& name);

  // Of visit().
  void linear(const Step& s);
  void pool(const Step& s);
  void batch_norm(const Step& s);
  void relu(const Step& s) { node(TfliteOp::kRelu, s.name, batch_of(s.out), s.to, {}); }
  void flatten(const Step& s) { reshape(s.name, batch_of(s.out), s.to); }
  void residual(const Step& s);

 private:
  void float_linear(const Step& s);
  void on_grid(const Step& s);
  void floats_from_levels(const Step& s, const std::string& name);
  void reals(const Step& s, const std::string& name, const ActivationGrid& grid);
  void signed_levels(const Step& s, const std::string& name, const ActivationGrid& grid);
  void levels_from_floats(const Step& s, std::int32_t zero_point, std::int32_t lowest);
  TflitePadding padding(const Step& s);
  void reshape(const std::string& name, const Dims& dims, const ActivationGrid& grid);
  void at_least_level_0(const std::string& name, const Dims& dims, const ActivationGrid& grid);
  std::int32_t bias(const Step& s);

  // x_ = op(x_, others), on `grid`.
  void node(TfliteOp op, const std::string& name, const Dims& dims, const ActivationGrid& grid,
            std::vector<std::int32_t> others, const Fields& options = {}) {
    others.insert(others.begin(), x_);
    const std::int32_t y = graph_.tensor(name, type_of(grid), dims, grid_of(grid));
    graph_.op(op, others, y, options);
    x_ = y;
  }
  // x_ = the convolution of x_; of a dense layer, too.
  void convolve(const Step& s, TflitePadding padding, bool relu, std::int32_t weight,
                std::int32_t bias) {
    const bool depthwise = s.layer->kind == LayerKind::kDepthwiseConv2d;
    Fields options{{0, static_cast<std::int32_t>(padding)},
                   {1, i32(s.layer->stride_w)},
                   {2, i32(s.layer->stride_h)}};
    if (depthwise) options.push_back({3, 1});  // outputs a channel
    options.push_back({depthwise ? 4 : 3, relu});
    node(depthwise ? TfliteOp::kDepthwiseConv2d : TfliteOp::kConv2d, s.name, batch_of(s.out),
         s.takes_levels() ? s.to : ActivationGrid{}, {weight, bias}, options);
  }
  // Whether the least level is that of the real 0, which a fused relu keeps to. int8 ends at 127 by
  // itself.
  static bool ends_at_zero(const Step& s) {
    return s.layer->relu || (!s.to.is_float() && s.to.zero_point == 0);
  }

  const Network& network_;
  TfliteGraph graph_;
  std::int32_t x_ = 0;                // the last tensor
  std::vector<std::int32_t> stages_;  // so far (format/wiring.hpp)
};

void Writer::reshape(const std::string& name, const Dims& dims, const ActivationGrid& grid) {
  const std::int32_t to =
      graph_.constant(name + "/dims", TfliteType::kInt32, {i32(std::ssize(dims))}, dims);
  node(TfliteOp::kReshape, name, dims, grid, {to}, {{0, 0, {Flat::vector(dims)}}});
}

void Writer::at_least_level_0(const std::string& name, const Dims& dims,
                              const ActivationGrid& grid) {
  const std::int32_t low =
      graph_.constant<std::int8_t>(name + "/low", TfliteType::kInt8, {1}, {0}, grid_of(grid));
  node(TfliteOp::kMaximum, name + "/clamped", dims, grid, {low});
}

// What the window's padding is called; if it has no name, the image is padded first.
TflitePadding Writer::padding(const Step& s) {
  const PackedLayer& l = *s.layer;
  if (l.pad_top + l.pad_left + l.pad_bottom + l.pad_right == 0) return TflitePadding::kValid;
  if (same(s.in[0], l.kernel_h, l.stride_h, l.pad_top, l.pad_bottom) &&
      same(s.in[1], l.kernel_w, l.stride_w, l.pad_left, l.pad_right))
    return TflitePadding::kSame;
  require(l.kind != LayerKind::kAveragePool2d, "export tflite", "average pool '",
          l.name.empty() ? s.name : l.name, "' pads ", l.pad_top, " ", l.pad_left, " ",
          l.pad_bottom, " ", l.pad_right,
          ", which .tflite can only say for \"same\"; train it with \"padding\": \"same\" or none");
  const Dims amounts{0, 0, i32(l.pad_top), i32(l.pad_bottom), i32(l.pad_left), i32(l.pad_right),
                     0, 0};
  std::vector<std::int32_t> others{
      graph_.constant(s.name + "/pads", TfliteType::kInt32, {4, 2}, amounts)};
  const bool max = l.kind == LayerKind::kMaxPool2d;
  if (max && s.from.is_float())
    others.push_back(graph_.constant<float>(s.name + "/least", TfliteType::kFloat32, {1},
                                            {std::numeric_limits<float>::lowest()}));
  else if (max)
    others.push_back(graph_.constant<std::int8_t>(s.name + "/least", TfliteType::kInt8, {1}, {0},
                                                  grid_of(s.from)));
  const Shape padded{s.in[0] + l.pad_top + l.pad_bottom, s.in[1] + l.pad_left + l.pad_right,
                     s.in[2]};
  node(max ? TfliteOp::kPadV2 : TfliteOp::kPad, s.name + "/padded", batch_of(padded), s.from,
       others);
  return TflitePadding::kValid;
}

// [O KH KW I], as the schema has it; a dense layer is a convolution of a 1 x 1 image, as there
// scales by channel are known to every version.
Dims weight_dims(const PackedLayer& l) {
  const auto& w = l.weight.shape;
  if (l.kind == LayerKind::kDense) return {i32(w[0]), 1, 1, i32(w[1])};
  if (l.kind == LayerKind::kDepthwiseConv2d) return {1, i32(w[1]), i32(w[2]), i32(w[0])};
  return {i32(w[0]), i32(w[1]), i32(w[2]), i32(w[3])};
}
// A depthwise convolution's [C KH KW 1] as the schema's [1 KH KW C].
template <class T>
std::vector<T> weights_of(const PackedLayer& l, const std::vector<T>& all) {
  if (l.kind != LayerKind::kDepthwiseConv2d) return all;
  const auto channels = static_cast<std::size_t>(l.weight.shape[0]), taps = all.size() / channels;
  std::vector<T> to;
  for (std::size_t tap = 0; tap < taps; ++tap)
    for (std::size_t c = 0; c < channels; ++c) to.push_back(all[c * taps + tap]);
  return to;
}
TfliteGrid weight_grid(const PackedLayer& l) {
  const bool depthwise = l.kind == LayerKind::kDepthwiseConv2d;
  return {.scales = l.weight.scales, .zero_point = 0, .axis = depthwise ? 3 : 0};
}

std::int32_t Writer::bias(const Step& s) {
  const auto& w = s.layer->weight;
  std::vector<float> scales = w.scales;  // one, or one a channel: engines want both alike
  for (float& scale : scales) scale *= s.from.scale;
  return graph_.constant(s.name + "/bias", TfliteType::kInt32, {i32(std::ssize(s.bias))}, s.bias,
                         {scales});
}

void Writer::linear(const Step& s) {
  if (!s.takes_levels() || s.to.is_float()) return float_linear(s);
  const PackedLayer& l = *s.layer;
  const TflitePadding pad = padding(s);
  const std::int32_t weight = graph_.constant(s.name + "/weight", TfliteType::kInt8, weight_dims(l),
                                              weights_of(l, l.weight.levels), weight_grid(l));
  convolve(s, pad, ends_at_zero(s), weight, bias(s));
  if (!ends_at_zero(s)) at_least_level_0(s.name, batch_of(s.out), s.to);
}

// In float32: layers of float weights, and the last of integers, whose weights stay int8 in the file.
void Writer::float_linear(const Step& s) {
  const PackedLayer& l = *s.layer;
  const auto& w = l.weight;
  const TflitePadding pad = padding(s);
  if (!s.from.is_float()) {
    Shape seen = s.in;
    if (pad == TflitePadding::kValid)
      seen = {s.in[0] + l.pad_top + l.pad_bottom, s.in[1] + l.pad_left + l.pad_right, s.in[2]};
    node(TfliteOp::kDequantize, s.name + "/reals", batch_of(seen), {}, {});
  }
  std::int32_t weight = 0;
  std::vector<float> bias = l.bias;
  if (w.is_float()) {
    weight = graph_.constant(s.name + "/weight", TfliteType::kFloat32, weight_dims(l),
                             weights_of(l, w.values));
  } else {
    const std::int32_t levels =
        graph_.constant(s.name + "/weight_levels", TfliteType::kInt8, weight_dims(l),
                        weights_of(l, w.levels), weight_grid(l));
    weight = graph_.tensor(s.name + "/weight", TfliteType::kFloat32, weight_dims(l));
    graph_.op(TfliteOp::kDequantize, {levels}, weight);
    for (std::size_t c = 0; c < s.bias.size(); ++c)
      bias.push_back(static_cast<float>(s.bias[c]) * s.sum_scale(c));
  }
  bias.resize(static_cast<std::size_t>(w.shape[0]), 0.0f);
  const std::int32_t added =
      graph_.constant(s.name + "/bias", TfliteType::kFloat32, {i32(w.shape[0])}, bias);
  convolve(s, pad, l.relu, weight, added);
  on_grid(s);
}

// Real numbers become the next layer's levels, where it wants them.
void Writer::on_grid(const Step& s) {
  if (s.takes_levels() || s.to.is_float()) return;
  node(TfliteOp::kQuantize, s.name + "/levels", batch_of(s.out), s.to, {});
  if (!s.layer->relu) at_least_level_0(s.name + "/levels", batch_of(s.out), s.to);
}

// What follows is of the levels themselves until levels_from_floats(): INTEGERS.md's own steps, of
// which float32 holds every one. The engine's operators of int8 round halves away from 0.
void Writer::floats_from_levels(const Step& s, const std::string& name) {
  node(TfliteOp::kCast, name + "/floats", batch_of(s.in), {}, {});
}
// Of a layer that computes in floats: the reals that levels stand for.
void Writer::reals(const Step& s, const std::string& name, const ActivationGrid& grid) {
  if (!grid.is_float()) node(TfliteOp::kDequantize, name + "/reals", batch_of(s.in), {}, {});
}
// The levels, less the zero point.
void Writer::signed_levels(const Step& s, const std::string& name, const ActivationGrid& grid) {
  floats_from_levels(s, name);
  if (grid.zero_point == 0) return;
  node(TfliteOp::kAdd, name + "/signed", batch_of(s.in), {},
       {graph_.constant<float>(name + "/move", TfliteType::kFloat32, {1},
                               {static_cast<float>(-grid.zero_point)})});
}

// The nearest levels, halves to even, plus `zero_point`, within lowest..127.
void Writer::levels_from_floats(const Step& s, std::int32_t zero_point, std::int32_t lowest) {
  const auto with = [&](TfliteOp op, const std::string& what, std::int32_t value) {
    node(op, s.name + "/" + what, batch_of(s.out), {},
         {graph_.constant<float>(s.name + "/" + what + "/number", TfliteType::kFloat32, {1},
                                 {static_cast<float>(value)})});
  };
  node(TfliteOp::kRound, s.name + "/nearest", batch_of(s.out), {}, {});
  if (zero_point != 0) with(TfliteOp::kAdd, "moved", zero_point);
  with(TfliteOp::kMaximum, "low", lowest);
  with(TfliteOp::kMinimum, "high", 127);
  node(TfliteOp::kCast, s.name, batch_of(s.out), s.to, {});
}

// y = x * multiplier + offset.
void Writer::batch_norm(const Step& s) {
  const PackedLayer& l = *s.layer;
  const std::int32_t channels = i32(s.in[2]);
  const bool levels = s.takes_levels();
  if (levels)
    signed_levels(s, s.name + "/input", s.from);
  else
    reals(s, s.name + "/input", s.from);
  node(TfliteOp::kMul, s.name + "/product", batch_of(s.out), {},
       {graph_.constant(s.name + "/multiplier", TfliteType::kFloat32, {channels}, l.multiplier)});
  node(TfliteOp::kAdd, s.name + (levels ? "/sum" : ""), batch_of(s.out), {},
       {graph_.constant(s.name + "/offset", TfliteType::kFloat32, {channels}, l.offset)},
       {{0, l.relu && !levels}});
  if (levels) levels_from_floats(s, s.to.zero_point, l.relu ? s.to.zero_point : 0);
  on_grid(s);
}

// Of levels each summand is rounded by itself.
void Writer::residual(const Step& s) {
  const bool levels = s.takes_levels();
  const auto take = [&](std::int32_t x, const std::string& name, const ActivationGrid& grid) {
    x_ = x;
    if (!levels) {
      reals(s, name, grid);
      return x_;
    }
    signed_levels(s, name, grid);
    node(TfliteOp::kMul, name + "/scaled", batch_of(s.in), {},
         {graph_.constant<float>(name + "/multiplier", TfliteType::kFloat32, {1},
                                 {s.summand_multiplier(grid)})});
    node(TfliteOp::kRound, name + "/nearest", batch_of(s.in), {}, {});
    return x_;
  };
  const std::int32_t one = take(x_, s.name + "/input", s.from);
  const std::int32_t other = take(stages_[s.other], s.name + "/other", s.also);
  x_ = one;
  node(TfliteOp::kAdd, s.name + (levels ? "/sum" : ""), batch_of(s.out), {}, {other},
       {{0, s.layer->relu && !levels}});
  if (levels) levels_from_floats(s, s.to.zero_point, s.layer->relu ? s.to.zero_point : 0);
  on_grid(s);
}

void Writer::pool(const Step& s) {
  const PackedLayer& l = *s.layer;
  const bool max = l.kind == LayerKind::kMaxPool2d;
  const TflitePadding pad = padding(s);
  const Fields options{{0, static_cast<std::int32_t>(pad)},
                       {1, i32(l.stride_w)},
                       {2, i32(l.stride_h)},
                       {3, i32(l.kernel_w)},
                       {4, i32(l.kernel_h)}};
  // Means of levels often lie halfway between two; not those of an odd number.
  const bool odd = pad == TflitePadding::kValid && l.kernel_h * l.kernel_w % 2 == 1;
  const bool levels = !max && !odd && !s.from.is_float();
  if (levels) floats_from_levels(s, s.name + "/input");
  node(max ? TfliteOp::kMaxPool2d : TfliteOp::kAveragePool2d, s.name + (levels ? "/mean" : ""),
       batch_of(s.out), levels ? ActivationGrid{} : s.to, {}, options);
  if (levels) levels_from_floats(s, 0, 0);
}

Bytes Writer::file(const std::string& name) {
  const auto& model = *network_.model;
  const Dims dims = batch_of(model.input_shape);
  const std::int32_t input = x_ = graph_.tensor("image", TfliteType::kFloat32, dims);
  if (!network_.is_float()) {
    node(TfliteOp::kQuantize, "image/levels", dims, model.input, {});
    const float black = (0 - model.input_mean) / model.input_deviation / model.input.scale;
    if (std::lround(black) + model.input.zero_point < 0)
      at_least_level_0("image/levels", dims, model.input);
  }
  stages_ = {x_};
  for (const Step& s : network_.steps) {
    x_ = stages_[s.input];
    visit(s.layer->kind, *this, s);
    stages_.push_back(x_);
  }
  reshape("logits", {-1, i32(network_.classes())}, {});
  return graph_.file(name, input, x_,
                     "{\"input\": \"" + input_text(network_, "height width channels") +
                         "\", \"labels\": " + labels_json(network_) +
                         (model.columns.empty() ? "" : ", \"columns\": " + columns_json(network_)) +
                         "}");
}

}  // namespace

Bytes tflite(const format::PackedModel& model, const TfliteOptions& options) {
  const Network network = network_of(model, Activations::kMixed);
  return Writer(network).file(identifier(options.name, "model"));
}

}  // namespace espalier::exports
