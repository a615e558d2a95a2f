#include "apps/common/starting_recipe.hpp"

#include <algorithm>
#include <bit>

namespace espalier::apps {
std::int64_t batch_for(std::int64_t examples) {
  constexpr std::uint64_t kLeast = 8, kUsual = 128;
  const auto of_32 = static_cast<std::uint64_t>(std::max<std::int64_t>(1, examples / 32));
  return static_cast<std::int64_t>(std::clamp(std::bit_floor(of_32), kLeast, kUsual));
}

std::string starting_recipe(const StartingData& data) {
  const std::int64_t batch = batch_for(data.examples);
  const std::int64_t batches = std::max<std::int64_t>(1, (data.examples + batch - 1) / batch);
  const auto epochs = [&](std::int64_t steps, std::int64_t least) {
    return std::to_string(std::max(least, (steps + batches - 1) / batches));
  };
  std::string more = batch == 128 ? "" : ", \"batch_size\": " + std::to_string(batch);
  if (data.table) more += ", \"learning_rate\": 0.005";
  return R"(// What is done to the network, stage by stage; each starts where the one before it ended.
// espalier train --recipe recipe.json --print-recipe shows every setting and its default.
[
  // Plain training.
  {"epochs": )" +
         epochs(1000, 4) + more +
         R"(},
  // )" + std::string(data.table ? "Half" : "Four fifths") +
         R"( of the weights become zeros, step by step; the others make up for them.
  {"prune": {"sparsity": )" +
         (data.table ? "0.5" : "0.8") + R"(, "frequency_steps": 20, "end": 0.75}, "epochs": )" +
         epochs(1000, 4) + more +
         R"(},
  // Weights become integers of 5 bits, activations of 7; training goes on and feels the rounding.
  {"quantize": {"weight_bits": 5}, "epochs": )" +
         epochs(400, 2) + more + R"(}
]
)";
}

}  // namespace espalier::apps
