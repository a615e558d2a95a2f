#include "compress/export/js.hpp"

#include <algorithm>
#include <set>

#include "compress/export/network.hpp"
#include "compress/export/text.hpp"
#include "compress/export/weight_bits.hpp"
#include "core/base/error.hpp"

namespace espalier::exports {
namespace {

using format::LayerKind;
using format::PackedLayer;

constexpr const char* kHead =
    R"js(// @NAME@: a neural network in one file, written by espalier export js.
// @NAME@.classify(pixels): the index of the answer in @NAME@.labels; @NAME@.run(pixels): the @CLASSES@ logits.
// pixels: @SHAPE@, @COUNT@ numbers 0..255, rows from the top, pixels from the left, channels inside.
// @HOW@
// Activations are levels of 0..127, weights small integers; the logits are the same bits everywhere.
const @NAME@ = (() => {
  "use strict";
  const fround = Math.fround;
  // x rounded to an integer, halves to even, plus zero; kept within lowest..127.
  const nearest = (x, zero, lowest) =>
    Math.min(Math.max(x, lowest - zero), 127 - zero) + 6755399441055744 - 6755399441055744 + zero;
)js";

constexpr const char* kLinear = R"js(
  // The weights that are not 0, of each output: row, column and channel of its input, and the level.
  const taps = (l) => {
    const bytes = atob(l.weights), [, , channels] = l.from, all = [];
    const [, , outputs] = l.to, [rows, columns] = l.kernel,@DEPTH_OF@ inputs = rows * columns * @DEPTH@;
    let at = 0;
    const bit = () => (bytes.charCodeAt(at >> 3) >> (at++ & 7)) & 1;
    const rice = (bits) => { // so many times 2^bits as there are 1s before a 0, and `bits` more bits
      let n = 0;
      while (bit()) n++;
      n <<= bits;
      for (let i = 0; i < bits; i++) n |= bit() << i;
      return n;
    };
    for (let o = 0; o < outputs; o++) all.push([]);
    // How many zeros come first; negative; how much more than 1.
    for (let i = rice(l.gap); i < inputs * outputs; i += 1 + rice(l.gap)) {
      const negative = bit(), size = 1 + rice(l.size), k = i % inputs, place = Math.floor(k / @DEPTH@);
      all[Math.floor(i / inputs)].push(
        Math.floor(place / columns), place % columns, @CHANNEL@, negative ? -size : size);
    }
    return all;
  };

  // A convolution, or a dense layer, which is one of a 1 x 1 image.
  const linear = (l, x) => {
    const [height, width, channels] = l.from, [rows, columns, outputs] = l.to, [sh, sw] = l.stride;
    const y = new (l.logits ? Float32Array : Uint8Array)(rows * columns * outputs);
    l.taps ??= taps(l);
    for (let o = 0; o < outputs; o++) {
      const t = l.taps[o], bias = l.bias.length ? l.bias[o] * 2 ** l.shift : 0;
      const multiplier = fround(l.multiplier[l.multiplier.length > 1 ? o : 0]);
      for (let p = 0; p < rows; p++)
        for (let q = 0; q < columns; q++) {
          let sum = bias;
          for (let k = 0; k < t.length; k += 4) {
            const h = p * sh - l.pad[0] + t[k], w = q * sw - l.pad[1] + t[k + 1];
            if (h < 0 || h >= height || w < 0 || w >= width) continue;
            sum += t[k + 3] * (x[(h * width + w) * channels + t[k + 2]] - l.zeros[0]);
          }
          const value = fround(sum * multiplier), at = (p * columns + q) * outputs + o;
          y[at] = l.logits ? (l.relu && value < 0 ? 0 : value) : nearest(value, l.zeros[1], l.lowest);
        }
    }
    return y;
  };
)js";

constexpr const char* kPool = R"js(
  // The largest or the mean of a window, of each channel; padding takes no part.
  const pool = (l, x) => {
    const [height, width, channels] = l.from, [rows, columns] = l.to, y = [];
    for (let p = 0; p < rows; p++)
      for (let q = 0; q < columns; q++)
        for (let c = 0; c < channels; c++) {
          let largest = 0, sum = 0, count = 0;
          for (let i = 0; i < l.kernel[0]; i++)
            for (let j = 0; j < l.kernel[1]; j++) {
              const h = p * l.stride[0] - l.pad[0] + i, w = q * l.stride[1] - l.pad[1] + j;
              if (h < 0 || h >= height || w < 0 || w >= width) continue;
              const value = x[(h * width + w) * channels + c];
              largest = Math.max(largest, value), sum += value, count++;
            }
          y.push(l.mean ? nearest(fround(sum * fround(1 / count)), 0, 0) : largest);
        }
    return y;
  };
)js";

constexpr const char* kNorm = R"js(
  const norm = (l, x) => x.map((v, i) => {
    const c = i % l.multiplier.length;
    const product = fround((v - l.zeros[0]) * fround(l.multiplier[c]));
    return nearest(fround(product + fround(l.offset[c])), l.zeros[1], l.lowest);
  });
)js";

constexpr const char* kRelu = R"js(
  const relu = (l, x) => x.map((v) => Math.max(v, l.zero));
)js";

constexpr const char* kResidual = R"js(
  const residual = (l, x, other) => {
    const nearest = (v, k) => // of the sum's levels, halves to even
      fround((v - l.zeros[k]) * fround(l.multiplier[k])) + 6755399441055744 - 6755399441055744;
    const sum = (v, i) => nearest(v, 0) + nearest(other[i], 1) + l.zeros[2];
    return x.map((v, i) => Math.min(Math.max(sum(v, i), l.lowest), 127));
  };
)js";

constexpr const char* kTail = R"js(
  const labels = [
@LABELS@  ];
  const layers = [
@LAYERS@  ];
  const run = (pixels) => {
    if (pixels.length !== @COUNT@) throw new RangeError("@NAME@ takes @COUNT@ pixels, not " + pixels.length);
    const all = [Array.from(pixels, (p) => @PIXEL@)]; // what each layer yields
    const back = (n = 1) => all[all.length - n];
    for (const [layer, l] of layers) all.push(layer(l, back(l.input), l.other && back(l.other)));
    return back();
  };
  const classify = (pixels) => {
    const logits = run(pixels);
    return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
  };
  return { run, classify, labels };
})();
)js";

std::string base64(const Bytes& bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? unsigned{bytes[k]} : 0u; };
    const unsigned three = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int k = 3; k >= 0; --k) text += kDigits[three >> (6 * k) & 63];
  }
  for (std::size_t i = bytes.size() % 3; i > 0 && i < 3; ++i) text[text.size() - 3 + i] = '=';
  return text;
}

template <class T>
std::string list(const std::vector<T>& values) {
  std::vector<std::string> items;
  for (const T v : values) {
    if constexpr (std::is_same_v<T, float>)
      items.push_back(decimal(v));
    else
      items.push_back(std::to_string(v));
  }
  std::string text = lines_of(items, "     ");
  text.pop_back();
  return "[" + (items.empty() ? "" : text.substr(text.find_first_not_of(' '))) + "]";
}

std::string shapes(const Step& s) {
  const auto three = [](const Shape& v) {
    return list(std::vector<std::int64_t>(v.begin(), v.end()));
  };
  return "from: " + three(s.in) + ", to: " + three(s.out);
}
std::string window(const Step& s) {
  const PackedLayer& l = *s.layer;
  using Two = std::vector<std::int64_t>;
  return "kernel: " + list(Two{l.kernel_h, l.kernel_w}) +
         ", stride: " + list(Two{l.stride_h, l.stride_w}) +
         ", pad: " + list(Two{l.pad_top, l.pad_left});
}
std::string grids(const Step& s) {
  const auto lowest = s.layer->relu && !s.is_logits() ? s.to.zero_point : 0;
  return "zeros: " + list(std::vector<std::int32_t>{s.from.zero_point, s.to.zero_point}) +
         ", lowest: " + std::to_string(lowest);
}

std::string linear(const Step& s) {
  const PackedLayer& l = *s.layer;
  const WeightBits bits = weight_bits(l.weight.levels);
  return shapes(s) + ", " + window(s) + ",\n     " + grids(s) +
         (s.is_logits() ? std::string(", logits: true") + (l.relu ? ", relu: true" : "") : "") +
         ", gap: " + std::to_string(bits.gap_bits) + ", size: " + std::to_string(bits.size_bits) +
         ",\n     bias: " + list(l.bias_levels) + ", shift: " + std::to_string(l.bias_shift) +
         ",\n     multiplier: " + list(s.multiplier) + ",\n     weights: \"" + base64(bits.bytes) +
         "\"";
}

std::string residual(const Step& s) {
  return "zeros: " +
         list(std::vector<std::int32_t>{s.from.zero_point, s.also.zero_point, s.to.zero_point}) +
         ", lowest: " + std::to_string(s.layer->relu ? s.to.zero_point : 0) +
         ",\n     multiplier: " +
         list(std::vector<float>{s.summand_multiplier(s.from), s.summand_multiplier(s.also)});
}

// The function of the layer's kind, and its numbers; "" where it does nothing.
std::pair<std::string, std::string> record(const Step& s) {
  switch (s.layer->kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDense:
      return {"linear", linear(s)};
    case LayerKind::kDepthwiseConv2d:
      return {"linear", "depthwise: true, " + linear(s)};
    case LayerKind::kMaxPool2d:
      return {"pool", shapes(s) + ", " + window(s)};
    case LayerKind::kAveragePool2d:
      return {"pool", shapes(s) + ", " + window(s) + ", mean: true"};
    case LayerKind::kBatchNorm:
      return {"norm", grids(s) + ",\n     multiplier: " + list(s.layer->multiplier) +
                          ",\n     offset: " + list(s.layer->offset)};
    case LayerKind::kRelu:
      return {"relu", "zero: " + std::to_string(s.from.zero_point)};
    case LayerKind::kResidual:
      return {"residual", residual(s)};
    case LayerKind::kFlatten:
      return {};
  }
  return {};
}

std::string pixel(const format::PackedModel& model) {
  const auto levels = pixel_levels(model);
  const auto [mul, add, shift] = pixel_formula(levels);
  if (shift == 0) return list(std::vector<int>(levels.begin(), levels.end())) + "[p]";
  return "Math.min(Math.max((p * " + std::to_string(mul) + " + " + std::to_string(add) + ") >> " +
         std::to_string(shift) + ", 0), 127)";
}

// Names that the language, Node or the file itself takes get an underscore.
std::string object_name(const std::string& wanted) {
  static const std::set<std::string> kTaken = {
      "__dirname",  "__filename",   "document",  "location",  "top",        "window",
      "Array",      "Float32Array", "Infinity",  "Int8Array", "Math",       "NaN",
      "RangeError", "Uint8Array",   "arguments", "async",     "atob",       "await",
      "break",      "case",         "catch",     "class",     "classify",   "const",
      "continue",   "debugger",     "default",   "delete",    "do",         "else",
      "enum",       "eval",         "export",    "exports",   "extends",    "false",
      "finally",    "for",          "function",  "if",        "implements", "import",
      "in",         "instanceof",   "interface", "labels",    "let",        "module",
      "new",        "null",         "package",   "private",   "protected",  "public",
      "require",    "return",       "run",       "static",    "super",      "switch",
      "this",       "throw",        "true",      "try",       "typeof",     "undefined",
      "var",        "void",         "while",     "with",      "yield"};
  const std::string name = identifier(wanted, "model");
  return kTaken.contains(name) ? name + "_" : name;
}

}  // namespace

std::string js(const format::PackedModel& model, const JsOptions& options) {
  const Network network = network_of(model);
  require(!network.is_float(), "export js",
          "the model holds floats; quantize it first (espalier-tutorial writes quantized.esp), or "
          "export it as onnx");
  check_fits_text(network, "export js");
  std::set<std::string> used;
  std::string layers;
  std::vector<std::size_t> place{0};  // of the stages among those that the file computes
  std::size_t here = 0;
  for (const Step& s : network.steps) {
    const auto [function, numbers] = record(s);
    if (function.empty()) {
      place.push_back(place[s.input]);
      continue;
    }
    used.insert(function);
    const auto back = [&](const char* key, std::size_t stage) {
      return std::string(", ") + key + ": " + std::to_string(here + 1 - place[stage]);
    };
    layers += "    [" + function + ", { // " + s.name + "\n     " + numbers +
              (place[s.input] == here ? "" : back("input", s.input)) +
              (function == "residual" ? back("other", s.other) : "") + "}],\n";
    place.push_back(++here);
  }
  std::vector<std::string> labels;
  for (std::int64_t i = 0; i < network.classes(); ++i)
    labels.push_back(js_literal(network.label(i)));
  std::string text = kHead;
  for (const auto& [function, code] :
       {std::pair{"linear", kLinear}, std::pair{"pool", kPool}, std::pair{"norm", kNorm},
        std::pair{"relu", kRelu}, std::pair{"residual", kResidual}})
    if (used.contains(function)) text += code;
  text += kTail;
  text += options.module
              ? "export const { run, classify, labels } = @NAME@;\nexport default @NAME@;\n"
              : "if (typeof module === \"object\") module.exports = @NAME@;\n";
  const std::string name = object_name(options.name);
  const bool depthwise = std::ranges::any_of(
      network.steps, [](const Step& s) { return s.layer->kind == LayerKind::kDepthwiseConv2d; });
  return replaced(
      text, {{"@DEPTH_OF@", depthwise ? " depth = l.depthwise ? 1 : channels," : ""},
             {"@DEPTH@", depthwise ? "depth" : "channels"},
             {"@CHANNEL@",
              depthwise ? "l.depthwise ? Math.floor(i / inputs) : k % depth" : "k % channels"},
             {"@LAYERS@", layers},
             {"@LABELS@", lines_of(labels, "    ")},
             {"@HOW@", options.module ? "In a module: import { classify } from \"./@FILE@\"."
                                      : "In a page: <script src=\"@FILE@\"></script>. In Node: "
                                        "const @NAME@ = require(\"./@FILE@\")."},
             {"@FILE@", options.file.empty() ? name + (options.module ? ".mjs" : ".js")
                                             : comment(options.file)},
             {"@NAME@", name},
             {"@CLASSES@", std::to_string(network.classes())},
             {"@SHAPE@", text_of(model.input_shape)},
             {"@COUNT@", std::to_string(elements(model.input_shape))},
             {"@PIXEL@", pixel(model)}});
}

}  // namespace espalier::exports
