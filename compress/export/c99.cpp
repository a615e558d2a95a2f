#include "compress/export/c99.hpp"

#include "compress/export/c99_functions.hpp"
#include "compress/export/c99_layers.hpp"
#include "compress/export/c99_program.hpp"
#include "compress/export/text.hpp"

namespace espalier::exports {
namespace {

using format::LayerKind;

constexpr const char* kC99Head =
    R"c(/* @NAME@: a neural network in one C99 file, written by espalier export c99.
 *
@API@ *
@TAKES@ * No malloc, no library. RAM: @NAME@_ARENA_BYTES, and some hundred bytes of stack@STACK@.
 * Flash for the numbers below: about @FLASH@ bytes. Not reentrant: there is one arena. Layers:
 *
@SUMMARY@ *
@PROMISE@ */
@INCLUDES@
#ifdef __FAST_MATH__
#error "@NAME@ needs float32 as IEEE 754 has it: compile this file without -ffast-math"
#endif

#define @NAME@_ARENA_BYTES @ARENA@
@DECLARE@
static struct {
@SUMS@  @VALUE@ values[@ELEMENTS@]; /* a layer reads at one end and writes at the other */
} arena;
typedef char arena_bytes_are_true[sizeof arena == @NAME@_ARENA_BYTES ? 1 : -1];
)c";

constexpr const char* kC99DeclareClasses = R"c(#define @NAME@_CLASSES @CLASSES@

void @NAME@_run(@INPUT@, float *logits);
int @NAME@_classify(@INPUT@);
extern const char *const @NAME@_labels[@NAME@_CLASSES];
)c";

constexpr const char* kLevelPromise =
    R"c( * Activations are levels of 0..127, weights small signed integers, sums int32; the logits are the
 * same bits on every machine with IEEE float32, in hardware or by the compiler's library.
)c";
constexpr const char* kFloatPromise =
    R"c( * Activations and weights are float32: a quantized model takes a quarter of the RAM and less flash.
)c";

using Words = std::vector<std::pair<std::string_view, std::string>>;

// What differs between levels and floats.
Words words(const C99Layers& layers, bool floats) {
  if (floats)
    return {{"@FIELDS@", kC99FloatFields},
            {"@STORE@", "values"},
            {"@LOGITS@", ""},
            {"@CONV_LOGITS@", ""},
            {"@WRITE@", ""},
            {"@WRITE_DENSE@", ""},
            {"@MINUS@", ""},
            {"@KEPT@", "value"},
            {"@MEAN@", kC99FloatMean},
            {"@LEAST@", "-3.40282347e+38f"},
            {"@VALUE@", "float"},
            {"@SUM@", "float"}};
  return {{"@FIELDS@", kC99LevelFields},
          {"@STORE@", "bits"},
          {"@LOGITS@", ", float *logits"},
          {"@CONV_LOGITS@", layers.conv_logits ? ", float *logits" : ""},
          {"@WRITE@",
           layers.conv_logits
               ? "        if (logits) {\n          logits[(p * l->out_w + q) * l->out_c + o] "
                 "= value;\n          continue;\n        }\n"
               : ""},
          {"@WRITE_DENSE@", "    if (logits)\n      logits[o] = value;\n    else\n"},
          {"@MINUS@", " - l->in_zero"},
          {"@KEPT@", "nearest_level(value, l->out_zero, l->lowest)"},
          {"@MEAN@", kC99LevelMean},
          {"@LEAST@", "0"},
          {"@VALUE@", "uint8_t"},
          {"@SUM@", "int32_t"}};
}

// What differs where some layer is a depthwise convolution, whose outputs see one channel each.
const Words kDepthwiseWords = {
    {"@DEPTHWISE@",
     "  int32_t depthwise;            /* each output sees its own channel alone */\n"},
    {"@DEPTH_OF@", "  const int32_t depth = l->depthwise ? 1 : l->in_c;\n"},
    {"@DEPTH@", "depth"},
    {"@CHANNEL@", "(l->depthwise ? o : c.at % depth)"}};
const Words kPlainWords = {{"@DEPTHWISE@", ""},
                           {"@DEPTH_OF@", ""},
                           {"@DEPTH@", "l->in_c"},
                           {"@CHANNEL@", "c.at % l->in_c"}};

std::string functions(const C99Layers& layers, bool floats) {
  const auto uses = [&](LayerKind kind) { return layers.uses.contains(kind); };
  const bool conv = uses(LayerKind::kConv2d) || uses(LayerKind::kDepthwiseConv2d);
  const bool linear = conv || uses(LayerKind::kDense);
  std::string text;
  if (linear && !floats)
    text +=
        std::string("\ntypedef ") + (layers.small_bias ? "int16_t" : "int32_t") + " bias_level;\n";
  if (linear) text += kC99Linear;
  if (layers.plain) text += kC99NextLevel;
  if (layers.packed) text += kC99NextBits;
  if (layers.plain && layers.packed) text += kC99NextBoth;
  if (layers.plain != layers.packed)  // one way alone needs no choice
    text = replaced(text, {{layers.plain ? "next_level(" : "next_packed(", "next("}});
  if (linear && floats) text += kC99NextFloat;
  if (linear) text += kC99First;
  if (!floats) text += kC99NearestLevel;
  if (layers.table) text += kC99Seen;
  if (linear) text += floats ? kC99Activate : kC99Requantize;
  if (conv) text += kC99Conv;
  if (uses(LayerKind::kDense)) text += kC99Dense;
  if (uses(LayerKind::kMaxPool2d) || uses(LayerKind::kAveragePool2d)) text += kC99Pool;
  if (uses(LayerKind::kMaxPool2d)) text += kC99MaxPool;
  if (uses(LayerKind::kAveragePool2d)) text += kC99AveragePool;
  if (uses(LayerKind::kBatchNorm)) text += floats ? kC99FloatBatchNorm : kC99BatchNorm;
  if (uses(LayerKind::kRelu)) text += kC99Relu;
  if (uses(LayerKind::kResidual)) text += floats ? kC99FloatResidual : kC99Residual;
  return text;
}

// One line a column: what the caller passes, by name where the table had any.
std::string listed_columns(const format::PackedModel& model) {
  constexpr std::size_t kListed = 1000;
  std::string lines;
  for (std::size_t c = 0; c < std::min(kListed, model.columns.size()); ++c)
    lines += " *   columns[" + std::to_string(c) + "]" +
             (model.column_names.empty() ? "" : "  " + comment(model.column_names[c])) + ": mean " +
             decimal(model.columns[c].mean) + ", deviation " + decimal(model.columns[c].deviation) +
             "\n";
  if (model.columns.size() > kListed) lines += " *   ...\n";
  return lines;
}

// Pictures or a table; classes or a number.
Words interface_words(const format::PackedModel& model) {
  const bool table = !model.columns.empty(), number = model.target.has_value();
  const std::string label = comment(model.label_name);
  Words words = {{"@API@", number ? kC99NumberApi : kC99ClassesApi},
                 {"@TAKES@", table ? kC99TakesColumns : kC99TakesPixels},
                 {"@DECLARE@", number ? kC99DeclareNumber : kC99DeclareClasses},
                 {"@DEFINE@", number ? kC99DefineNumber : kC99DefineClasses},
                 {"@INPUT@", table ? "const float *columns" : "const uint8_t *pixels"},
                 {"@GIVEN@", table ? "columns" : "pixels"},
                 {"@COLUMNS@", listed_columns(model)},
                 {"@WHAT@", label.empty() ? "the number" : label}};
  if (!number) return words;
  words.emplace_back("@MEAN_OF@", decimal(model.target->mean) + "f");
  words.emplace_back("@DEVIATION_OF@", decimal(model.target->deviation) + "f");
  return words;
}

}  // namespace

std::string c99(const format::PackedModel& model, const C99Options& options) {
  const Network network = network_of(model);
  check_fits_text(network, "export c99");
  const Arena arena = arena_of(network);
  const C99Layers layers = c99_layers(network, arena);
  const bool floats = network.is_float();
  std::vector<std::string> labels;
  std::string listed;
  constexpr std::int64_t kListed = 20;
  for (std::int64_t i = 0; i < network.classes(); ++i) {
    labels.push_back(c_literal(network.label(i)));
    if (i < kListed) listed += (i ? ", " : "") + comment(network.label(i));
  }
  if (network.classes() > kListed) listed += ", ...";
  // Whole words, as the sums before it are.
  const std::int64_t count = floats ? arena.elements : (arena.elements + 3) / 4 * 4;
  const std::int64_t bytes = 4 * arena.row + count * (floats ? 4 : 1);
  Words all = interface_words(model);
  const Words numbers{
      {"@INCLUDES@", "#include <stddef.h>\n#include <stdint.h>\n"},
      {"@PROMISE@", floats ? kFloatPromise : kLevelPromise},
      {"@SUMMARY@", layers.summary},
      {"@CALLS@", layers.calls},
      {"@LABELS@", lines_of(labels, "  ")},
      {"@LISTED@", listed},
      {"@STACK@", model.target
                      ? ""
                      : ", in @NAME@_classify and the " + std::to_string(4 * network.classes()) +
                            " bytes of its logits"},
      {"@FLASH@", std::to_string(layers.flash_bytes)},
      {"@NAME@", identifier(options.name, "model")},
      {"@CLASSES@", std::to_string(network.classes())},
      {"@SHAPE@", text_of(model.input_shape)},
      {"@COUNT@", std::to_string(elements(model.input_shape))},
      {"@ARENA@", std::to_string(bytes)},
      {"@SUMS@", arena.row == 0 ? ""
                                : "  @SUM@ sums[" + std::to_string(arena.row) +
                                      "]; /* one row of a convolution's outputs */\n"},
      {"@ELEMENTS@", std::to_string(count)}};
  all.insert(all.end(), numbers.begin(), numbers.end());
  for (const auto& word : words(layers, floats)) all.push_back(word);
  const bool depthwise = layers.uses.contains(LayerKind::kDepthwiseConv2d);
  for (const auto& word : depthwise ? kDepthwiseWords : kPlainWords) all.push_back(word);
  return replaced(kC99Head + functions(layers, floats) + layers.data + "@DEFINE@", all);
}

}  // namespace espalier::exports
