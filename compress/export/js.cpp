#include "compress/export/js.hpp"

#include <algorithm>
#include <set>

#include "compress/export/js_program.hpp"
#include "compress/export/network.hpp"
#include "compress/export/text.hpp"
#include "compress/export/weight_bits.hpp"
#include "core/base/error.hpp"

namespace espalier::exports {
namespace {

using format::LayerKind;
using format::PackedLayer;

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

// An element of the input as a level.
std::string column(const format::PackedModel& model) {
  std::string value = "seen(value, scalings[i])";
  if (model.input_mean != 0 || model.input_deviation != 1)
    value = "fround(fround(" + value + " - fround(" + decimal(model.input_mean) + ")) / fround(" +
            decimal(model.input_deviation) + "))";
  return "(value, i) => nearest(fround(" + value + " / fround(" + decimal(model.input.scale) +
         ")), " + std::to_string(model.input.zero_point) + ", 0)";
}

using Words = std::vector<std::pair<std::string_view, std::string>>;

// Pictures or a table; classes or a number.
Words interface_words(const format::PackedModel& model, const Network& network) {
  const bool table = !model.columns.empty(), number = model.target.has_value();
  std::string columns;
  std::vector<std::string> scalings, labels;
  for (std::size_t c = 0; c < model.columns.size(); ++c) {
    if (c < 1000 && !model.column_names.empty())
      columns += "\n//   columns[" + std::to_string(c) + "]  " + comment(model.column_names[c]);
    scalings.push_back("[" + decimal(model.columns[c].mean) + ", " +
                       decimal(model.columns[c].deviation) + "]");
  }
  for (std::int64_t i = 0; i < network.classes() && !number; ++i)
    labels.push_back(js_literal(network.label(i)));
  const std::string label = comment(model.label_name);
  return {
      {"@API@", number ? "// @NAME@.predict(@GIVEN@): " + (label.empty() ? "the number" : label) +
                             ", in the unit of the training's table; @NAME@.run(@GIVEN@): [it]."
                       : "// @NAME@.classify(@GIVEN@): the index of the answer in @NAME@.labels; "
                         "@NAME@.run(@GIVEN@): the @CLASSES@ logits."},
      {"@TAKES@",
       table ? "// columns: @COUNT@ numbers as they stand in the table, in the units of its "
               "training, in its "
               "order; what is\n// missing is the caller's to fill in. They are scaled here." +
                   columns
             : "// pixels: @SHAPE@, @COUNT@ numbers 0..255, rows from the top, pixels from the "
               "left, channels inside."},
      {"@CHECK@", table ? "    if (!Array.from(columns).every(Number.isFinite)) throw new "
                          "RangeError(\"@NAME@ takes finite numbers\");\n"
                        : ""},
      {"@SCALINGS@", lines_of(scalings, "    ")},
      {"@LABELS@", number ? "" : "  const labels = [\n" + lines_of(labels, "    ") + "  ];\n"},
      {"@FIRST@", table ? column(model) : "(p) => " + pixel(model)},
      {"@RESULT@", number ? "[fround(fround(" + decimal(model.target->mean) + ") + fround(fround(" +
                                decimal(model.target->deviation) + ") * back()[0]))]"
                          : "back()"},
      {"@ANSWER@", number ? kJsPredict : kJsClassify},
      {"@MEMBERS@", number ? "run, predict" : "run, classify, labels"},
      {"@GIVEN@", table ? "columns" : "pixels"}};
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
      "new",        "null",         "package",   "predict",   "private",    "protected",
      "public",     "require",      "return",    "run",       "static",     "super",
      "switch",     "this",         "throw",     "true",      "try",        "typeof",
      "undefined",  "var",          "void",      "while",     "with",       "yield"};
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
  std::string text = kJsHead;
  for (const auto& [function, code] :
       {std::pair{"linear", kJsLinear}, std::pair{"pool", kJsPool}, std::pair{"norm", kJsNorm},
        std::pair{"relu", kJsRelu}, std::pair{"residual", kJsResidual}})
    if (used.contains(function)) text += code;
  if (!model.columns.empty()) text += kJsSeen;
  text += kJsTail;
  text += options.module ? "export const { @MEMBERS@ } = @NAME@;\nexport default @NAME@;\n"
                         : "if (typeof module === \"object\") module.exports = @NAME@;\n";
  const std::string name = object_name(options.name);
  const bool depthwise = std::ranges::any_of(
      network.steps, [](const Step& s) { return s.layer->kind == LayerKind::kDepthwiseConv2d; });
  Words all = interface_words(model, network);
  const Words others = {
      {"@DEPTH_OF@", depthwise ? " depth = l.depthwise ? 1 : channels," : ""},
      {"@DEPTH@", depthwise ? "depth" : "channels"},
      {"@CHANNEL@",
       depthwise ? "l.depthwise ? Math.floor(i / inputs) : k % depth" : "k % channels"},
      {"@LAYERS@", layers},
      {"@HOW@", options.module
                    ? std::string("In a module: import { ") +
                          (model.target ? "predict" : "classify") + " } from \"./@FILE@\"."
                    : "In a page: <script src=\"@FILE@\"></script>. In Node: "
                      "const @NAME@ = require(\"./@FILE@\")."},
      {"@FILE@",
       options.file.empty() ? name + (options.module ? ".mjs" : ".js") : comment(options.file)},
      {"@NAME@", name},
      {"@CLASSES@", std::to_string(network.classes())},
      {"@SHAPE@", text_of(model.input_shape)},
      {"@COUNT@", std::to_string(elements(model.input_shape))}};
  all.insert(all.end(), others.begin(), others.end());
  return replaced(text, all);
}

}  // namespace espalier::exports
