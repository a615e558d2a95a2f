#include "apps/common/starting_recipe.hpp"

#include <algorithm>
#include <bit>

namespace espalier::apps {
namespace {

constexpr const char* kDepthwiseBits = R"(,
    "layer_bits": {"block1_depthwise": 8, "block2_depthwise": 8, "block3_depthwise": 8, "block4_depthwise": 8})";

}  // namespace

std::string starting_network(const Shape& input, bool table) {
  // Below it a convolution and a pool of 2 leave next to nothing; above, one layer sees too little.
  constexpr std::int64_t kSmallestSide = 8, kSideOfDigits = 32;
  if (table) return "tabular";
  if (std::min(input[0], input[1]) < kSmallestSide) return "mlp";
  const bool digits = input[2] == 1 && std::max(input[0], input[1]) <= kSideOfDigits;
  return digits ? "tutorial-small" : "resnet8";
}

std::int64_t batch_for(std::int64_t examples) {
  constexpr std::uint64_t kLeast = 8, kUsual = 128;
  const auto of_32 = static_cast<std::uint64_t>(std::max<std::int64_t>(1, examples / 32));
  return static_cast<std::int64_t>(std::clamp(std::bit_floor(of_32), kLeast, kUsual));
}

StartingData starting_data(const Shape& input, std::int64_t examples, bool table,
                           const std::string& network) {
  const bool deep = network == "resnet8" || network == "dscnn";
  return {.examples = examples,
          .table = table,
          .deep = deep,
          .depthwise = network == "dscnn",
          .shift_pixels = deep ? std::min(input[0], input[1]) / 10 : 0};
}

std::string starting_recipe(const StartingData& data) {
  const std::int64_t batch = std::min<std::int64_t>(data.deep ? 64 : 128, batch_for(data.examples));
  const std::int64_t batches = std::max<std::int64_t>(1, (data.examples + batch - 1) / batch);
  const auto epochs = [&](std::int64_t steps, std::int64_t least) {
    return std::to_string(std::max(least, (steps + batches - 1) / batches));
  };
  // Of a stage: learning_rate is a deep network's.
  const auto more = [&](const std::string& learning_rate) {
    std::string text = batch == 128 ? "" : ", \"batch_size\": " + std::to_string(batch);
    if (data.deep || data.table)
      text += ", \"learning_rate\": " + (data.deep ? learning_rate : "0.005");
    if (data.shift_pixels > 0)
      text += ",\n   \"augment\": {\"shift\": " + std::to_string(data.shift_pixels) + "}";
    return text;
  };
  const std::string sparsity = data.table ? "0.5" : data.deep ? "0.7" : "0.8";
  const std::string share = data.table ? "Half" : data.deep ? "Seven tenths" : "Four fifths";
  const std::string moves =
      data.shift_pixels > 0
          ? " Pictures move by some pixels, anew in each epoch; where a\n"
            "  // mirrored picture means the same, add \"flip\": 0.5 behind each \"shift\"."
          : "";
  return R"(// What is done to the network, stage by stage; each starts where the one before it ended.
// espalier train --recipe recipe.json --print-recipe shows every setting and its default.
[
  // Plain training.)" +
         moves + R"(
  {"epochs": )" +
         epochs(data.deep ? 2500 : 1000, 4) + more("0.004") +
         R"(},
  // )" + share +
         R"( of the weights become zeros, step by step; the others make up for them.
  {"prune": {"sparsity": )" +
         sparsity + R"(, "frequency_steps": 20, "end": 0.75)" +
         (data.depthwise ? R"(, "min_values": 600)" : "") + R"(}, "epochs": )" +
         epochs(data.depthwise ? 1250 : 1000, 4) + more("0.002") +
         R"(},
  // Weights become integers of 5 bits, activations of 7; training goes on and feels the rounding.
  {"quantize": {"weight_bits": 5)" +
         (data.depthwise ? kDepthwiseBits : "") + R"(}, "epochs": )" +
         epochs(data.depthwise ? 900
                : data.deep    ? 600
                               : 400,
                2) +
         more(data.depthwise ? "0.001" : "0.0005") + R"(}
]
)";
}

}  // namespace espalier::apps
