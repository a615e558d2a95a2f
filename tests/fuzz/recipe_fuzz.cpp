// Recipes: what is accepted is printed in full, reads back to the same text, and every pass takes
// its options.
#include <string>
#include <string_view>

#include "compress/recipe/recipe.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> seeds;
  for (
      const std::string_view text : {
          R"([{"epochs": 2, "batch_size": 64, "learning_rate": 0.01, "learning_schedule": "constant"},
  {"prune": {"sparsity": 0.8, "schedule": "polynomial", "initial": 0.5, "begin": 0.1, "end": 0.5,
   "power": 3, "frequency_steps": 20, "select": "weights", "min_values": 1000, "layers": ["conv1"],
   "structure": "blocks", "block_outputs": 2, "block_inputs": 4, "block_pool": "max",
   "allocation": "per_layer", "sparsities": {"conv1": 0.5}}, "epochs": 4},
  {"quantize": {"weight_bits": 4, "layer_bits": {"dense": 8}, "observer": "entropy"}, "epochs": 0}])",
          R"([{"units": {"sparsity": 0.5, "global": true}}, {"rate": {"lambda": 2e-5, "max_level": 3,
  "float_until": 0.1, "ramp_until": 0.3, "freeze_at": 0.9}, "epochs": 30}])",
          R"([{"prune": {"structure": "n_of_m", "keep": 2, "of": 4}}, {"cluster": {"clusters": 8}},
  {"cluster": {"init": "linear"}, "quantize": {}}])",
          R"([{"distill": {"teacher": "t.safetensors", "temperature": 4, "weight": 0.75}, "epochs": 3},
  {"prune": {"sparsity": 0.9, "allocation": "sensitivity", "sensitivity_images": 50}},
  {"quantize": {"learned_step": true, "learned_activation_step": true,
   "activation_step_learning_rate": 0.5}, "epochs": 2}, {"dynamic_range": {}}])"})
    seeds.emplace_back(text.begin(), text.end());
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::may_refuse([&] {
    const recipe::Recipe first = recipe::parse_recipe(text, "fuzz.json");
    const std::string written = recipe::format_recipe(first);
    try {
      fuzz::promise(recipe::format_recipe(recipe::parse_recipe(written, "again")) == written);
      for (const recipe::Stage& stage : first.stages) recipe::StagePasses(stage, prune::weights());
    } catch (const Error&) {
      fuzz::promise(false);  // what was accepted must be accepted as we write it, and can be built
    }
  });
  return 0;
}
