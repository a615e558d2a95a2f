#include "compress/export/c99_layers.hpp"

#include <algorithm>

#include "compress/export/text.hpp"
#include "compress/export/weight_bits.hpp"

namespace espalier::exports {
namespace {

using format::LayerKind;
using format::PackedLayer;

template <class T>
std::vector<std::string> texts(const T& values) {
  std::vector<std::string> all;
  for (const auto v : values) all.push_back(std::to_string(v));
  return all;
}
template <>
std::vector<std::string> texts(const std::vector<float>& values) {
  std::vector<std::string> all;
  for (const float v : values) all.push_back(decimal(v) + "f");
  return all;
}

// ".in_h = 28, " for what is not 0, which C sets by itself.
std::string field(const std::string& name, std::int64_t value) {
  return value == 0 ? "" : "." + name + " = " + std::to_string(value) + ", ";
}

std::string window_fields(const Step& s) {
  const PackedLayer& l = *s.layer;
  return field("kernel_h", l.kernel_h) + field("kernel_w", l.kernel_w) +
         field("stride_h", l.stride_h) + field("stride_w", l.stride_w) +
         field("pad_top", l.pad_top) + field("pad_left", l.pad_left);
}

class Writer {
 public:
  Writer(const Network& network, const Arena& arena) : network_(network), arena_(arena) {
    for (const Step& s : network.steps)
      out_.conv_logits |= format::has_window(s.layer->kind) && s.is_logits();
    for (const Step& s : network.steps)
      out_.small_bias &= std::ranges::all_of(s.layer->bias_levels,
                                             [](auto v) { return v >= -32768 && v <= 32767; });
  }

  C99Layers write() {
    if (!network_.model->columns.empty())
      column_input();
    else if (network_.is_float())
      float_input();
    else
      level_input();
    for (const Move& m : arena_.moves) {
      if (m.copies())
        call("for (i = 0; i < " + std::to_string(elements(m.step->in)) + "; ++i) x[" +
             std::to_string(m.to) + " + i] = x[" + std::to_string(m.from) + " + i];");
      out_.uses.insert(m.step->layer->kind);
      visit(m.step->layer->kind, *this, m);
    }
    if (network_.is_float())
      call("for (i = 0; i < " + std::to_string(network_.classes()) + "; ++i) logits[i] = x[" +
           std::to_string(arena_.moves.back().to) + " + i];");
    return std::move(out_);
  }

  // Of visit().
  void linear(const Move& m);
  void pool(const Move& m);
  void batch_norm(const Move& m);
  void relu(const Move& m) {
    const Step& s = *m.step;
    out_.summary += " *   " + s.name + ": relu of " + text_of(s.in) + "\n";
    call("relu(" + at(m.to) + ", " + std::to_string(elements(s.in)) + ", " +
         std::to_string(s.from.zero_point) + ");");
  }
  void flatten(const Move&) {}  // [H W C] as it lies
  void residual(const Move& m);

 private:
  std::string levels(const Step& s);
  std::string floats(const Step& s);
  void level_input();
  void float_input();
  void column_input();
  std::string image() const;

  // Declares it.
  template <class T>
  void array(const std::string& type, const std::string& name, const T& values) {
    out_.data += "static const " + type + " " + name + "[" + std::to_string(values.size()) +
                 "] = {\n" + lines_of(texts(values), "  ") + "};\n";
    const std::int64_t size = type == "float"        ? 4
                              : type != "bias_level" ? 1
                              : out_.small_bias      ? 2
                                                     : 4;
    out_.flash_bytes += size * std::ssize(values);
  }
  void call(const std::string& line) { out_.calls += "  " + line + "\n"; }
  void describe(const std::string& what) {
    out_.summary += " *   " + what + "\n";
    out_.data += "\n/* " + what + ". */\n";
  }
  static std::string at(std::int64_t offset) {
    return offset == 0 ? "x" : "x + " + std::to_string(offset);
  }

  const Network& network_;
  const Arena& arena_;
  C99Layers out_;
};

// The arrays of the weights, noted in `out_.data`; returns their fields of the layer's record.
std::string Writer::levels(const Step& s) {
  const PackedLayer& l = *s.layer;
  const auto& all = l.weight.levels;
  const WeightBits bits = weight_bits(all);
  const bool packed = bits.bytes.size() < all.size();
  (packed ? out_.packed : out_.plain) = true;
  if (packed)
    array("uint8_t", s.name + "_bits", bits.bytes);
  else
    array("int8_t", s.name + "_levels", all);
  // Biases of 0 may come with any shift, which C leaves undefined.
  const bool biased = std::ranges::any_of(l.bias_levels, [](auto v) { return v != 0; });
  if (biased) array("bias_level", s.name + "_bias", l.bias_levels);
  array("float", s.name + "_multiplier", s.multiplier);
  std::string fields =
      field("in_zero", s.from.zero_point) + field("out_zero", s.to.zero_point) +
      field("lowest", l.relu && !s.is_logits() ? s.to.zero_point : 0) +
      (packed ? ".bits = " + s.name + "_bits, " + field("gap_bits", bits.gap_bits) +
                    field("size_bits", bits.size_bits)
              : ".levels = " + s.name + "_levels, ") +
      "\n  ";
  if (biased) fields += ".bias = " + s.name + "_bias, " + field("bias_shift", l.bias_shift);
  return fields + ".multiplier = " + s.name + "_multiplier, " +
         field("multiplier_step", s.multiplier.size() > 1);
}

std::string Writer::floats(const Step& s) {
  const PackedLayer& l = *s.layer;
  const auto& all = l.weight.values;
  std::vector<std::uint8_t> map((all.size() + 7) / 8, 0);
  std::vector<float> values;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == 0) continue;
    map[i / 8] = static_cast<std::uint8_t>(map[i / 8] | 1 << (i % 8));
    values.push_back(all[i]);
  }
  const bool packed = map.size() + 4 * values.size() < 4 * all.size() && !values.empty();
  std::string fields = field("relu", l.relu);
  if (packed) {
    array("uint8_t", s.name + "_map", map);
    fields += ".map = " + s.name + "_map, ";
  }
  array("float", s.name + "_values", packed ? values : all);
  if (!l.bias.empty()) array("float", s.name + "_bias", l.bias);
  if (!l.bias.empty()) fields += ".bias = " + s.name + "_bias, ";
  return fields + ".values = " + s.name + "_values, ";
}

void Writer::linear(const Move& m) {
  const Step& s = *m.step;
  const PackedLayer& l = *s.layer;
  const bool conv = format::has_window(l.kind), depthwise = l.kind == LayerKind::kDepthwiseConv2d;
  const bool floats_here = l.weight.is_float();
  const auto count = static_cast<std::int64_t>(l.weight.levels.size() + l.weight.values.size());
  const auto nonzero = std::ranges::count_if(l.weight.levels, [](int v) { return v != 0; }) +
                       std::ranges::count_if(l.weight.values, [](float v) { return v != 0; });
  describe(s.name + ": " +
           (conv ? std::to_string(l.kernel_h) + "x" + std::to_string(l.kernel_w) +
                       (depthwise ? " depthwise" : "") + " convolution"
                 : std::string("dense")) +
           " " + text_of(s.in) + " to " + text_of(s.out) + (l.relu ? ", relu" : "") +
           (m.pool ? ", max pool " + m.pool->name + " to " + text_of(m.pool->out) : "") + "; " +
           std::to_string(count) + " weights, " + std::to_string(nonzero) + " of them not 0");
  const std::string fields = floats_here ? floats(s) : levels(s);
  out_.data += "static const linear " + s.name + "_layer = {\n  " + field("in_h", s.in[0]) +
               field("in_w", s.in[1]) + field("in_c", s.in[2]) + field("out_h", s.out[0]) +
               field("out_w", s.out[1]) + field("out_c", s.out[2]) + "\n  " + window_fields(s) +
               field("pool_h", m.pool ? m.pool->layer->kernel_h : 1) +
               field("pool_w", m.pool ? m.pool->layer->kernel_w : 1) +
               field("depthwise", depthwise) + "\n  " + field("weights", count) + fields + "\n};\n";
  std::string to = at(m.to);
  if (!floats_here && (!conv || out_.conv_logits))
    to = s.is_logits() ? "NULL, logits" : to + ", NULL";
  call((conv ? "conv2d(&" : "dense(&") + s.name + "_layer, " + at(m.from) + ", " + to + ");");
  if (l.relu && s.is_logits())
    call("for (i = 0; i < " + std::to_string(network_.classes()) +
         "; ++i) if (logits[i] < 0) logits[i] = 0;");
}

void Writer::pool(const Move& m) {
  const Step& s = *m.step;
  const bool max = s.layer->kind == LayerKind::kMaxPool2d;
  describe(s.name + ": " + (max ? "max" : "average") + " pool " + text_of(s.in) + " to " +
           text_of(s.out));
  out_.data += "static const pool " + s.name + "_layer = {\n  " + field("in_h", s.in[0]) +
               field("in_w", s.in[1]) + field("channels", s.in[2]) + field("out_h", s.out[0]) +
               field("out_w", s.out[1]) + "\n  " + window_fields(s) + "\n};\n";
  call((max ? "max_pool2d(&" : "average_pool2d(&") + s.name + "_layer, " + at(m.from) + ", " +
       at(m.to) + ");");
}

void Writer::batch_norm(const Move& m) {
  const Step& s = *m.step;
  describe(s.name + ": batch norm of " + text_of(s.in) + (s.layer->relu ? ", relu" : ""));
  array("float", s.name + "_multiplier", s.layer->multiplier);
  array("float", s.name + "_offset", s.layer->offset);
  const auto number = [](std::int64_t v) { return std::to_string(v); };
  call("batch_norm(" + at(m.to) + ", " + number(elements(s.in)) + ", " + number(s.in[2]) + ", " +
       s.name + "_multiplier, " + s.name + "_offset, " +
       (s.from.is_float() ? number(s.layer->relu)
                          : number(s.from.zero_point) + ", " + number(s.to.zero_point) + ", " +
                                number(s.layer->relu ? s.to.zero_point : 0)) +
       ");");
}

void Writer::residual(const Move& m) {
  const Step& s = *m.step;
  describe(s.name + ": sum of two " + text_of(s.in) + (s.layer->relu ? ", relu" : ""));
  const auto summand = [&](const format::ActivationGrid& grid) {
    return ", " + std::to_string(grid.zero_point) + ", " + decimal(s.summand_multiplier(grid)) +
           "f";
  };
  call("residual(" + at(m.from) + (s.from.is_float() ? "" : summand(s.from)) + ", " + at(m.other) +
       (s.from.is_float() ? "" : summand(s.also)) + ", " + at(m.to) + ", " +
       std::to_string(elements(s.in)) + ", " +
       (s.from.is_float() ? std::to_string(s.layer->relu)
                          : std::to_string(s.to.zero_point) + ", " +
                                std::to_string(s.layer->relu ? s.to.zero_point : 0)) +
       ");");
}

// What the image's elements are called.
std::string Writer::image() const {
  return arena_.image == 0 ? "x[i]" : "x[" + std::to_string(arena_.image) + " + i]";
}

void Writer::float_input() {
  const auto& model = *network_.model;
  call("for (i = 0; i < " + std::to_string(elements(model.input_shape)) + "; ++i)");
  call("  " + image() + " = ((float)pixels[i] / 255.0f - " + decimal(model.input_mean) + "f) / " +
       decimal(model.input_deviation) + "f;");
}

// The pixels' levels: a formula in integers, else a table.
void Writer::level_input() {
  const auto& model = *network_.model;
  const auto levels = pixel_levels(model);
  const auto [mul, add, shift] = pixel_formula(levels);
  const std::string count = std::to_string(elements(model.input_shape));
  if (shift == 0) {
    out_.data += "\n/* The level of each pixel. */\n";
    array("uint8_t", "pixel_levels", levels);
    return call("for (i = 0; i < " + count + "; ++i) " + image() + " = pixel_levels[pixels[i]];");
  }
  const auto number = [](std::int64_t v) { return std::to_string(v); };
  call("/* Each pixel's level: (pixel / 255 - " + decimal(model.input_mean) + ") / " +
       decimal(model.input_deviation) + " in steps of " + decimal(model.input.scale) + ". */");
  call("for (i = 0; i < " + count + "; ++i) {");
  call("  const int32_t level = pixels[i] * (int32_t)" + number(mul) + (add < 0 ? " - " : " + ") +
       number(std::abs(add)) + "; /* times " + number(1 << shift) + " */");
  call("  " + image() + " = (uint8_t)(level < 0 ? 0 : level > " +
       number(std::int64_t{127} << shift) + " ? 127 : level >> " + number(shift) + ");");
  call("}");
}

// A table's columns are scaled as in training, and then become what pixels become.
void Writer::column_input() {
  const auto& model = *network_.model;
  out_.table = true;
  std::vector<std::string> pairs;
  for (const format::Scaling& s : model.columns)
    pairs.push_back("{" + decimal(s.mean) + "f, " + decimal(s.deviation) + "f}");
  out_.data += "\n/* Of each column: mean, deviation. */\nstatic const float scalings[" +
               std::to_string(pairs.size()) + "][2] = {\n" + lines_of(pairs, "  ") + "};\n";
  out_.flash_bytes += 8 * std::ssize(pairs);
  std::string value = "seen(columns[i], scalings[i])";
  const bool normalized = model.input_mean != 0 || model.input_deviation != 1;
  if (normalized)
    value = "(" + value + " - " + decimal(model.input_mean) + "f) / " +
            decimal(model.input_deviation) + "f";
  if (!network_.is_float())
    value = "nearest_level(" + (normalized ? "(" + value + ")" : value) + " / " +
            decimal(model.input.scale) + "f, " + std::to_string(model.input.zero_point) + ", 0)";
  call("for (i = 0; i < " + std::to_string(pairs.size()) + "; ++i) " + image() + " = " + value +
       ";");
}

}  // namespace

C99Layers c99_layers(const Network& network, const Arena& arena) {
  return Writer(network, arena).write();
}

}  // namespace espalier::exports
