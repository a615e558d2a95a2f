#include "compress/export/onnx.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "compress/export/network.hpp"
#include "compress/export/onnx_graph.hpp"

namespace espalier::exports {
namespace {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;
using Dims = std::vector<std::int64_t>;

// One axis a weight: [O KH KW I] to ONNX's [O I KH KW], [C KH KW 1] to [C 1 KH KW]; [OUT IN] stays.
template <class T>
std::vector<T> channels_first(const std::vector<T>& w, const Dims& shape) {
  if (shape.size() == 2) return w;
  std::vector<T> to;
  to.reserve(w.size());
  const std::int64_t places = shape[1] * shape[2], channels = shape[3];
  for (std::int64_t o = 0; o < shape[0]; ++o)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < places; ++p)
        to.push_back(w[static_cast<std::size_t>((o * places + p) * channels + c)]);
  return to;
}

Message onnx_type(OnnxType type) {  // of a cast
  return onnx_integer("to", static_cast<int>(type));
}

class Writer {
 public:
  explicit Writer(const Network& network) : network_(network) {}

  // The name of the logits.
  std::string write() {
    const auto& model = *network_.model;
    x_ = "image";
    if (!network_.is_float()) x_ = on_grid("image", x_, model.input, false);
    std::vector<std::pair<std::string, bool>> stages{{x_, flat_}};
    for (const Step& s : network_.steps) {
      std::tie(other_, other_flat_) = stages[s.other];
      std::tie(x_, flat_) = stages[s.input];
      visit(s.layer->kind, *this, s);
      stages.emplace_back(x_, flat_);
    }
    flat(network_.steps.back().out);
    return x_;
  }

  Bytes file(const std::string& name) {
    const auto& model = *network_.model;
    // The output's name is the graph's interface.
    graph_.node("Identity", "logits", {write()});
    const auto [h, w, c] = model.input_shape;
    std::vector<std::pair<std::string, std::string>> more = {
        {"labels", labels_json(network_)},
        {"input", input_text(network_, "channels height width")}};
    if (!model.columns.empty()) more.emplace_back("columns", columns_json(network_));
    return graph_.model(name, "image", {c, h, w}, "logits", network_.classes(), more);
  }

  // Of visit().
  void linear(const Step& s);
  void pool(const Step& s);
  void batch_norm(const Step& s);
  void relu(const Step& s) { x_ = graph_.node("Relu", s.name, {x_}); }
  void flatten(const Step& s) { flat(s.in); }
  void residual(const Step& s);

 private:
  void reals(const Step& s);
  void floats_from_levels(const std::string& name, const ActivationGrid& grid);
  void signed_levels(const std::string& name, const ActivationGrid& grid);
  void levels_from_floats(const Step& s, std::int32_t zero_point, std::int32_t lowest);
  void flat(const Shape& shape);
  void image(const Step& s, const std::string& name);

  // A grid's two constants, as QuantizeLinear and DequantizeLinear take them.
  struct Grid {
    std::string scale, zero_point;
  };
  Grid constants(const std::string& name, const ActivationGrid& grid) {
    return {graph_.scalar(name + "/scale", grid.scale),
            graph_.constant<std::uint8_t>(name + "/zero", OnnxType::kUint8,
                                          {static_cast<std::uint8_t>(grid.zero_point)}, {})};
  }

  // x to the grid and back: what the next layer sees. Clip, as a level ends at 127 and a byte at
  // 255, and for the relu.
  std::string on_grid(const std::string& name, const std::string& x, const ActivationGrid& grid,
                      bool relu) {
    const float zero = static_cast<float>(grid.zero_point);
    const std::string low = graph_.scalar(name + "/low", relu ? 0.0f : grid.scale * (0 - zero));
    const std::string high = graph_.scalar(name + "/high", grid.scale * (127 - zero));
    const Grid g = constants(name, grid);
    const std::string clipped = graph_.node("Clip", name + "/clipped", {x, low, high});
    const std::string q =
        graph_.node("QuantizeLinear", name + "/levels", {clipped, g.scale, g.zero_point});
    return graph_.node("DequantizeLinear", name + "/reals", {q, g.scale, g.zero_point});
  }

  std::string dequantized_weight(const Step& s, const Dims& shape);
  std::string dequantized_bias(const Step& s);

  const Network& network_;
  OnnxGraph graph_;
  std::string x_;      // the last value
  bool flat_ = false;  // it is [batch C], not [batch C H W]
  std::string other_;  // a residual's other summand, likewise
  bool other_flat_ = false;
};

// [batch C H W] to [batch H*W*C], as flatten and dense want it.
void Writer::flat(const Shape& shape) {
  if (flat_) return;
  const std::string at = x_ + "/flat";
  if (shape[2] > 1 && shape[0] * shape[1] > 1)
    x_ = graph_.node("Transpose", at + "/hwc", {x_}, {onnx_integers("perm", {0, 2, 3, 1})});
  x_ = graph_.node("Flatten", at, {x_}, {onnx_integer("axis", 1)});
  flat_ = true;
}

// [batch C] to [batch C 1 1], as windows want it.
void Writer::image(const Step& s, const std::string& name) {
  if (!flat_) return;
  const std::string dims =
      graph_.constant<std::int64_t>(name + "/dims", OnnxType::kInt64, {-1, s.in[2], 1, 1}, {4});
  x_ = graph_.node("Reshape", name + "/image", {x_, dims});
  flat_ = false;
}

std::string Writer::dequantized_weight(const Step& s, const Dims& shape) {
  const auto& w = s.layer->weight;
  const std::string name = s.name + "/weight";
  const std::string levels =
      graph_.constant(name + "/levels", OnnxType::kInt8, channels_first(w.levels, w.shape), shape);
  const auto count = static_cast<std::int64_t>(w.scales.size());
  const Dims per = count > 1 ? Dims{count} : Dims{};
  const std::string scales = graph_.constant(name + "/scales", OnnxType::kFloat, w.scales, per);
  const std::string zeros = graph_.constant(name + "/zeros", OnnxType::kInt8,
                                            std::vector<std::int8_t>(w.scales.size(), 0), per);
  return graph_.node("DequantizeLinear", name, {levels, scales, zeros}, {onnx_integer("axis", 0)});
}

std::string Writer::dequantized_bias(const Step& s) {
  std::vector<float> scales;
  for (std::size_t c = 0; c < s.bias.size(); ++c) scales.push_back(s.sum_scale(c));
  const Dims dims{static_cast<std::int64_t>(s.bias.size())};
  const std::string name = s.name + "/bias";
  const std::string levels = graph_.constant(name + "/levels", OnnxType::kInt32, s.bias, dims);
  return graph_.node("DequantizeLinear", name,
                     {levels, graph_.constant(name + "/scales", OnnxType::kFloat, scales, dims)},
                     {onnx_integer("axis", 0)});
}

void Writer::linear(const Step& s) {
  const PackedLayer& l = *s.layer;
  const auto& w = l.weight;
  const bool conv = format::has_window(l.kind);
  if (conv)
    image(s, s.name);
  else
    flat(s.in);
  const Dims shape =
      conv ? Dims{w.shape[0], w.shape[3], w.shape[1], w.shape[2]} : Dims{w.shape[0], w.shape[1]};
  std::vector<std::string> inputs{x_};
  if (w.is_float()) {
    inputs.push_back(graph_.constant(s.name + "/weight", OnnxType::kFloat,
                                     channels_first(w.values, w.shape), shape));
    if (!l.bias.empty())
      inputs.push_back(graph_.constant(s.name + "/bias", OnnxType::kFloat, l.bias, {w.shape[0]}));
  } else {
    inputs.push_back(dequantized_weight(s, shape));
    if (!l.bias_levels.empty()) inputs.push_back(dequantized_bias(s));
  }
  std::vector<Message> window{
      onnx_integers("kernel_shape", {l.kernel_h, l.kernel_w}),
      onnx_integers("strides", {l.stride_h, l.stride_w}),
      onnx_integers("pads", {l.pad_top, l.pad_left, l.pad_bottom, l.pad_right})};
  if (l.kind == LayerKind::kDepthwiseConv2d) window.push_back(onnx_integer("group", w.shape[0]));
  x_ = conv ? graph_.node("Conv", s.name, inputs, window)
            : graph_.node("Gemm", s.name, inputs, {onnx_integer("transB", 1)});
  reals(s);
}

// What became of real numbers: the next layer's levels, or floats.
void Writer::reals(const Step& s) {
  if (!s.to.is_float())
    x_ = on_grid(s.name, x_, s.to, s.layer->relu);
  else if (s.layer->relu)
    x_ = graph_.node("Relu", s.name + "/relu", {x_});
}

// What follows is of the levels themselves until levels_from_floats(): INTEGERS.md's own steps, of
// which float32 holds every one.
void Writer::floats_from_levels(const std::string& name, const ActivationGrid& grid) {
  const Grid g = constants(name, grid);
  x_ = graph_.node("QuantizeLinear", name + "/levels", {x_, g.scale, g.zero_point});
  x_ = graph_.node("Cast", name + "/floats", {x_}, {onnx_type(OnnxType::kFloat)});
}
// The same, less the zero point.
void Writer::signed_levels(const std::string& name, const ActivationGrid& grid) {
  floats_from_levels(name, grid);
  if (grid.zero_point == 0) return;
  const auto middle = graph_.scalar(name + "/middle", static_cast<float>(grid.zero_point));
  x_ = graph_.node("Sub", name + "/signed", {x_, middle});
}

// The nearest levels, halves to even, plus `zero_point`, within lowest..127, as what the next layer
// sees.
void Writer::levels_from_floats(const Step& s, std::int32_t zero_point, std::int32_t lowest) {
  x_ = graph_.node("Round", s.name + "/nearest", {x_});
  if (zero_point != 0)
    x_ = graph_.node("Add", s.name + "/moved",
                     {x_, graph_.scalar(s.name + "/move", static_cast<float>(zero_point))});
  x_ = graph_.node("Clip", s.name + "/clipped",
                   {x_, graph_.scalar(s.name + "/low", static_cast<float>(lowest)),
                    graph_.scalar(s.name + "/high", 127)});
  x_ = graph_.node("Cast", s.name + "/levels", {x_}, {onnx_type(OnnxType::kUint8)});
  const Grid g = constants(s.name, s.to);
  x_ = graph_.node("DequantizeLinear", s.name + "/reals", {x_, g.scale, g.zero_point});
}

// y = x * multiplier + offset.
void Writer::batch_norm(const Step& s) {
  const PackedLayer& l = *s.layer;
  const bool levels = s.takes_levels();
  if (levels) signed_levels(s.name + "/input", s.from);
  const Dims dims = flat_ ? Dims{s.in[2]} : Dims{s.in[2], 1, 1};
  x_ = graph_.node(
      "Mul", s.name + "/product",
      {x_, graph_.constant(s.name + "/multiplier", OnnxType::kFloat, l.multiplier, dims)});
  x_ = graph_.node("Add", s.name,
                   {x_, graph_.constant(s.name + "/offset", OnnxType::kFloat, l.offset, dims)});
  if (levels)
    levels_from_floats(s, s.to.zero_point, l.relu ? s.to.zero_point : 0);
  else
    reals(s);
}

// Of levels each summand is rounded by itself.
void Writer::residual(const Step& s) {
  const PackedLayer& l = *s.layer;
  const bool levels = s.takes_levels();
  std::vector<std::string> summands;
  const auto take = [&](const std::string& name, const ActivationGrid& grid) {
    image(s, name);
    if (levels) {
      signed_levels(name, grid);
      const auto m = graph_.scalar(name + "/multiplier", s.summand_multiplier(grid));
      x_ = graph_.node("Round", name + "/nearest", {graph_.node("Mul", name + "/scaled", {x_, m})});
    }
    summands.push_back(x_);
  };
  take(s.name + "/input", s.from);
  x_ = other_, flat_ = other_flat_;
  take(s.name + "/other", s.also);
  x_ = graph_.node("Add", s.name, summands);
  if (levels)
    levels_from_floats(s, s.to.zero_point, l.relu ? s.to.zero_point : 0);
  else
    reals(s);
}

void Writer::pool(const Step& s) {
  const PackedLayer& l = *s.layer;
  const bool max = l.kind == LayerKind::kMaxPool2d;
  image(s, s.name);
  std::vector<Message> attributes{
      onnx_integers("kernel_shape", {l.kernel_h, l.kernel_w}),
      onnx_integers("strides", {l.stride_h, l.stride_w}),
      onnx_integers("pads", {l.pad_top, l.pad_left, l.pad_bottom, l.pad_right})};
  if (!max) attributes.push_back(onnx_integer("count_include_pad", 0));
  // Means of levels often lie halfway between two; that of reals would become the other one.
  const bool levels = !max && !s.from.is_float();
  if (levels) floats_from_levels(s.name + "/input", s.from);
  x_ = graph_.node(max ? "MaxPool" : "AveragePool", s.name, {x_}, attributes);
  if (levels) levels_from_floats(s, 0, 0);
}

}  // namespace

Bytes onnx(const format::PackedModel& model, const OnnxOptions& options) {
  const Network network = network_of(model, Activations::kMixed);
  return Writer(network).file(identifier(options.name, "model"));
}

}  // namespace espalier::exports
