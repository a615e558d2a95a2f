#include "compress/export/c99.hpp"

#include <algorithm>
#include <set>

#include "compress/export/arena.hpp"
#include "compress/export/c99_integer.hpp"
#include "compress/export/text.hpp"
#include "compress/export/weight_bits.hpp"
#include "core/base/error.hpp"

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

template <class T>
std::string array(const std::string& type, const std::string& name, const T& values) {
  return "static const " + type + " " + name + "[" + std::to_string(values.size()) + "] = {\n" +
         lines_of(texts(values), "  ") + "};\n";
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

class Integers {
 public:
  Integers(const Network& network, const std::string& name)
      : network_(network), arena_(arena_of(network)), name_(name) {
    for (const Step& s : network.steps) {
      const auto& b = s.layer->bias_levels;
      small_bias_ &= std::ranges::all_of(b, [](auto v) { return v >= -32768 && v <= 32767; });
    }
  }

  // The layers' numbers, and what run() does with them; which functions these need is noted.
  void layers() {
    for (const Move& m : arena_.moves) {
      switch (m.step->layer->kind) {
        case LayerKind::kConv2d:
        case LayerKind::kDense:
          linear(m);
          break;
        case LayerKind::kMaxPool2d:
        case LayerKind::kAveragePool2d:
          pool(m);
          break;
        case LayerKind::kBatchNorm:
          batch_norm(m);
          break;
        case LayerKind::kRelu:
          uses_.insert(LayerKind::kRelu);
          call("relu(" + at(m.from) + ", " + std::to_string(elements(m.step->in)) + ", " +
               std::to_string(m.step->from.zero_point) + ");");
          break;
        case LayerKind::kFlatten:
          break;  // [H W C] as it lies
      }
    }
  }

  std::string file();

 private:
  void linear(const Move& m);
  void pool(const Move& m);
  void batch_norm(const Move& m);
  std::string functions() const;
  std::string input();
  void call(const std::string& line) { calls_ += "  " + line + "\n"; }
  static std::string at(std::int64_t offset) {
    return offset == 0 ? "x" : "x + " + std::to_string(offset);
  }
  std::int64_t arena_bytes() const { return 4 * arena_.row + (arena_.elements + 3) / 4 * 4; }

  const Network& network_;
  const Arena arena_;
  const std::string name_;
  std::set<LayerKind> uses_;
  bool small_bias_ = true, levels_ = false, bits_ = false, conv_logits_ = false;
  std::string data_, calls_, summary_;
};

void Integers::linear(const Move& m) {
  const Step& s = *m.step;
  const PackedLayer& l = *s.layer;
  const bool conv = l.kind == LayerKind::kConv2d;
  uses_.insert(l.kind);
  const auto& levels = l.weight.levels;
  const auto nonzero = std::ranges::count_if(levels, [](int v) { return v != 0; });
  const WeightBits bits = weight_bits(levels);
  const bool packed = bits.bytes.size() < levels.size();
  (packed ? bits_ : levels_) = true;
  conv_logits_ |= conv && s.is_logits();

  const std::string what =
      s.name + ": " +
      (conv ? std::to_string(l.kernel_h) + "x" + std::to_string(l.kernel_w) + " convolution"
            : std::string("dense")) +
      " " + text_of(s.in) + " to " + text_of(s.out) + (l.relu ? ", relu" : "") +
      (m.pool ? ", max pool " + m.pool->name + " to " + text_of(m.pool->out) : "") + "; " +
      std::to_string(levels.size()) + " weights, " + std::to_string(nonzero) + " of them not 0, " +
      (packed ? "packed" : "as they are") + " in " +
      std::to_string(packed ? bits.bytes.size() : levels.size()) + " bytes";
  summary_ += " *   " + what + "\n";
  data_ += "\n/* " + what + ". */\n";
  data_ += packed ? array("uint8_t", s.name + "_bits", bits.bytes)
                  : array("int8_t", s.name + "_levels", levels);
  if (!l.bias_levels.empty()) data_ += array("bias_level", s.name + "_bias", l.bias_levels);
  data_ += array("float", s.name + "_multiplier", s.multiplier);

  const bool relu = l.relu && !s.is_logits();
  data_ += "static const linear " + s.name + "_layer = {\n  " + field("in_h", s.in[0]) +
           field("in_w", s.in[1]) + field("in_c", s.in[2]) + field("out_h", s.out[0]) +
           field("out_w", s.out[1]) + field("out_c", s.out[2]) + "\n";
  data_ += "  " + window_fields(s) + field("pool_h", m.pool ? m.pool->layer->kernel_h : 1) +
           field("pool_w", m.pool ? m.pool->layer->kernel_w : 1) + "\n";
  data_ += "  " + field("in_zero", s.from.zero_point) + field("out_zero", s.to.zero_point) +
           field("lowest", relu ? s.to.zero_point : 0) +
           field("weights", static_cast<std::int64_t>(levels.size()));
  data_ += (packed ? ".bits = " + s.name + "_bits, " + field("gap_bits", bits.gap_bits) +
                         field("size_bits", bits.size_bits)
                   : ".levels = " + s.name + "_levels, ") +
           "\n  ";
  if (!l.bias_levels.empty())
    data_ += ".bias = " + s.name + "_bias, " + field("bias_shift", l.bias_shift);
  data_ += ".multiplier = " + s.name + "_multiplier, " +
           field("multiplier_step", s.multiplier.size() > 1) + "\n};\n";

  call((conv ? "conv2d(&" : "dense(&") + s.name + "_layer, " + at(m.from) + ", " +
       (s.is_logits() ? "NULL, logits" : at(m.to) + ", NULL") + ");");
  if (l.relu && s.is_logits())
    call("for (i = 0; i < " + std::to_string(network_.classes()) +
         "; ++i) if (logits[i] < 0) logits[i] = 0;");
}

void Integers::pool(const Move& m) {
  const Step& s = *m.step;
  const bool max = s.layer->kind == LayerKind::kMaxPool2d;
  uses_.insert(s.layer->kind);
  const std::string what = s.name + ": " + (max ? "max" : "average") + " pool " + text_of(s.in) +
                           " to " + text_of(s.out);
  summary_ += " *   " + what + "\n";
  data_ += "\n/* " + what + ". */\nstatic const pool " + s.name + "_layer = {\n  " +
           field("in_h", s.in[0]) + field("in_w", s.in[1]) + field("channels", s.in[2]) +
           field("out_h", s.out[0]) + field("out_w", s.out[1]) + "\n  " + window_fields(s) +
           "\n};\n";
  call((max ? "max_pool2d(&" : "average_pool2d(&") + s.name + "_layer, " + at(m.from) + ", " +
       at(m.to) + ");");
}

void Integers::batch_norm(const Move& m) {
  const Step& s = *m.step;
  uses_.insert(LayerKind::kBatchNorm);
  const std::string what = s.name + ": batch norm of " + text_of(s.in);
  summary_ += " *   " + what + "\n";
  data_ += "\n/* " + what + ". */\n" + array("float", s.name + "_multiplier", s.layer->multiplier) +
           array("float", s.name + "_offset", s.layer->offset);
  call("batch_norm(" + at(m.from) + ", " + std::to_string(elements(s.in)) + ", " +
       std::to_string(s.in[2]) + ", " + s.name + "_multiplier, " + s.name + "_offset, " +
       std::to_string(s.from.zero_point) + ", " + std::to_string(s.to.zero_point) + ", " +
       std::to_string(s.layer->relu ? s.to.zero_point : 0) + ");");
}

std::string Integers::functions() const {
  const auto uses = [&](LayerKind kind) { return uses_.contains(kind); };
  const bool linear = uses(LayerKind::kConv2d) || uses(LayerKind::kDense);
  std::string text;
  if (levels_) text += kC99NextLevel;
  if (bits_) text += kC99NextBits;
  if (levels_ && bits_) text += kC99NextBoth;
  if (linear) text += kC99First;
  text += kC99NearestLevel;
  if (linear) text += kC99Requantize;
  if (uses(LayerKind::kConv2d)) text += kC99Conv;
  if (uses(LayerKind::kDense)) text += kC99Dense;
  if (uses(LayerKind::kMaxPool2d) || uses(LayerKind::kAveragePool2d)) text += kC99Pool;
  if (uses(LayerKind::kMaxPool2d)) text += kC99MaxPool;
  if (uses(LayerKind::kAveragePool2d)) text += kC99AveragePool;
  if (uses(LayerKind::kBatchNorm)) text += kC99BatchNorm;
  if (uses(LayerKind::kRelu)) text += kC99Relu;
  if (levels_ != bits_)  // one way alone needs no choice
    text = replaced(text, {{levels_ ? "next_level(" : "next_packed(", "next("}});
  return replaced(
      text, {{"@FLOATS@", ", float *logits"},
             {"@LOGITS@", conv_logits_ ? "        if (logits)\n"
                                         "          logits[(p * l->out_w + q) * l->out_c + o] = "
                                         "value;\n        else\n"
                                       : "        (void)logits; /* none come from here */\n"},
             {"@VALUE@", "uint8_t"},
             {"@LEAST@", "0"},
             {"@SUM@", "int32_t"},
             {"@MEAN@", kC99LevelMean}});
}

// The pixels' levels: a formula in integers, else a table.
std::string Integers::input() {
  const auto levels = pixel_levels(*network_.model);
  const auto [mul, add, shift] = pixel_formula(levels);
  const std::string count = std::to_string(elements(network_.model->input_shape));
  if (shift == 0) {
    data_ += "\n/* The level of each pixel. */\n" + array("uint8_t", "pixel_levels", levels);
    return "  for (i = 0; i < " + count + "; ++i) x[i] = pixel_levels[pixels[i]];\n";
  }
  return "  for (i = 0; i < " + count +
         "; ++i) {  /* each pixel's level, which stands for the real number\n"
         "                                (pixel / 255 - " +
         decimal(network_.model->input_mean) + ") / " + decimal(network_.model->input_deviation) +
         " in steps of " + decimal(network_.model->input.scale) +
         " */\n    const int32_t level = (pixels[i] * (int32_t)" + std::to_string(mul) + " + " +
         std::to_string(add) + ") >> " + std::to_string(shift) +
         ";\n    x[i] = (uint8_t)(level < 0 ? 0 : level > 127 ? 127 : level);\n  }\n";
}

std::string Integers::file() {
  layers();
  const std::string input_code = input();
  const std::string classes = std::to_string(network_.classes());
  const auto& shape = network_.model->input_shape;
  std::vector<std::string> labels;
  std::string listed;
  for (std::int64_t i = 0; i < network_.classes(); ++i) {
    labels.push_back(c_literal(network_.label(i)));
    if (i < 20) listed += (i ? ", " : "") + comment(network_.label(i));
  }
  if (network_.classes() > 20) listed += ", ...";
  std::string text =
      R"c(/* @NAME@: a neural network in one C99 file, written by espalier export c99.
 *
 *   void @NAME@_run(const uint8_t *pixels, float *logits);   the @CLASSES@ logits
 *   int @NAME@_classify(const uint8_t *pixels);              the index of the largest
 *   extern const char *const @NAME@_labels[@CLASSES@];        @LISTED@
 *
 * pixels: @SHAPE@, @COUNT@ bytes of 0..255, rows from the top, pixels from the left, channels
 * inside. No malloc, no library; RAM: @NAME@_ARENA_BYTES, and some hundred bytes of stack. Not
 * reentrant: the arena is one. Layers:
 *
@SUMMARY@ *
 * Activations are levels of 0..127, weights small signed integers, sums int32; the logits are the
 * same bits on every machine with IEEE float32, in hardware or by the compiler's library.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __FAST_MATH__
#error "@NAME@ needs float32 as IEEE 754 has it: compile this file without -ffast-math"
#endif

#define @NAME@_ARENA_BYTES @ARENA@
#define @NAME@_CLASSES @CLASSES@

void @NAME@_run(const uint8_t *pixels, float *logits);
int @NAME@_classify(const uint8_t *pixels);
extern const char *const @NAME@_labels[@NAME@_CLASSES];

typedef @BIAS@ bias_level;

static struct {
@SUMS@  uint8_t levels[@ELEMENTS@]; /* a layer reads at one end and writes at the other */
} arena;
typedef char arena_bytes_are_true[sizeof arena == @NAME@_ARENA_BYTES ? 1 : -1];
)c";
  if (uses_.contains(LayerKind::kConv2d) || uses_.contains(LayerKind::kDense)) text += kC99Linear;
  text += functions() + data_;
  text +=
      "\nconst char *const @NAME@_labels[@NAME@_CLASSES] = {\n" + lines_of(labels, "  ") + "};\n";
  text += R"c(
void @NAME@_run(const uint8_t *pixels, float *logits) {
  uint8_t *const x = arena.levels;
  int32_t i;
@INPUT@@CALLS@}

int @NAME@_classify(const uint8_t *pixels) {
  float logits[@NAME@_CLASSES];
  int best = 0, i;
  @NAME@_run(pixels, logits);
  for (i = 1; i < @NAME@_CLASSES; ++i)
    if (logits[i] > logits[best]) best = i;
  return best;
}
)c";
  return replaced(
      text, {{"@SUMMARY@", summary_},
             {"@INPUT@", input_code},
             {"@CALLS@", calls_},
             {"@NAME@", name_},
             {"@CLASSES@", classes},
             {"@LISTED@", listed},
             {"@SHAPE@", text_of(shape)},
             {"@COUNT@", std::to_string(elements(shape))},
             {"@ARENA@", std::to_string(arena_bytes())},
             {"@BIAS@", small_bias_ ? "int16_t" : "int32_t"},
             {"@SUMS@", arena_.row == 0 ? ""
                                        : "  int32_t sums[" + std::to_string(arena_.row) +
                                              "]; /* one row of a convolution's outputs */\n"},
             {"@ELEMENTS@", std::to_string((arena_.elements + 3) / 4 * 4)}});
}

}  // namespace

std::string c99(const format::PackedModel& model, const C99Options& options) {
  const Network network = network_of(model);
  require(!network.is_float(), "export c99",
          "the model holds floats; quantize it (espalier-tutorial writes quantized.esp), or export "
          "onnx");
  return Integers(network, identifier(options.name, "model")).file();
}

}  // namespace espalier::exports
