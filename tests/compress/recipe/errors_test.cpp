// Recipes that cannot be: the error names the place, the value and what is allowed.
#include <doctest/doctest.h>

#include "compress/recipe/recipe.hpp"
#include "compress/recipe/stage_passes.hpp"

using namespace espalier;
using recipe::parse_recipe;

TEST_CASE("errors name the place, the value and what is allowed") {
  const auto refuses = [](const std::string& text, const std::string& part) {
    CHECK_THROWS_WITH_AS(parse_recipe(text, "r.json"), doctest::Contains(part.c_str()), Error);
  };
  refuses("", "r.json: is not JSON");
  refuses("{}", "r.json: top level: wants an array [...], got {}");
  refuses("[]", "wants 1 to 64 elements, got 0");
  refuses("[3]", "r.json: /0: wants an object {...}, got 3");
  refuses(R"([{"epochs": 0}])", "r.json: /0: has neither a pass nor epochs");
  refuses(R"([{"prnue": {}}])", "r.json: /0: unknown key \"prnue\"; did you mean \"prune\"?");
  refuses(R"([{"prune": {"sparsty": 0.5}}])", "/0/prune: unknown key \"sparsty\"; did you mean");
  refuses(R"([{"prune": {"sparsity": 1}}])",
          "r.json: /0/prune/sparsity: wants a number from 0 to below 1, got 1");
  refuses(R"([{"prune": {"sparsity": 0.999999999999}}])", "to below 1, got 0.999999999999");
  refuses(R"([{"prune": {"sparsity": "most"}}])", "wants a number from 0 to below 1, got \"most\"");
  refuses(R"([{"prune": {"sparsity": 1e999}}])", "r.json");
  refuses(R"([{"prune": {"sparsity": NaN}}])", "is not JSON");
  refuses(R"([{"prune": {"sparsity": 0.5, "initial": 0.6}}])", "/0/prune: wants initial <=");
  refuses(R"([{"prune": {"begin": 0.5, "end": 0.5}}])", "/0/prune: wants begin < end");
  refuses(R"([{"prune": {"keep": 5}}])", "wants keep <= of, got 5 and 4");
  refuses(R"([{"prune": {"sparsities": {"a": 0.5}}}])", "want \"allocation\": \"per_layer\"");
  refuses(R"([{"prune": {"sparsities": {"a": 0.5}, "allocation": "sensitivity"}}])",
          "want \"allocation\": \"per_layer\"");
  refuses(R"([{"prune": {"allocation": "sensitivity", "criterion": "random"}}])",
          "/0/prune: sensitivity is measured by magnitude");
  refuses(R"([{"prune": {"allocation": "sensitivity", "structure": "n_of_m"}}])",
          "/0/prune: n_of_m has one sparsity");
  refuses(R"([{"prune": {"allocation": "sensitivity", "sparsity": 0.995}}])",
          "/0/prune: sensitivity is measured up to a sparsity of 0.99, got 0.995");
  refuses(R"([{"prune": {"sparsities": {"a": 2}, "allocation": "per_layer"}}])",
          "/0/prune/sparsities/a: wants");
  refuses(R"([{"prune": {"criterion": "magnitud"}}])", "did you mean \"magnitude\"?");
  refuses(R"([{"prune": {"clear_moments": 1}}])", "clear_moments: wants true or false, got 1");
  refuses(R"([{"prune": {"layers": "conv1"}}])", "layers: wants an array");
  refuses(R"([{"prune": {"layers": [""]}}])", "/0/prune/layers/0: wants 1 to 256 bytes");
  refuses(R"([{"prune": {}, "prune": {}}])", "stands twice");
  refuses(R"([{"prune": []}])", "/0/prune: wants an object");
  refuses(R"([{"prune": null}])", "/0/prune: wants an object");
  refuses(R"([{"prune": {}, "epochs": -1}])", "/0/epochs: wants a whole number from 0");
  refuses(R"([{"prune": {}, "epochs": 1.5}])", "/0/epochs: wants a whole number");
  refuses(R"([{"prune": {}, "learning_rate": 0}])", "wants a number above 0 to 1e+06, got 0");
  refuses(R"([{"cluster": {"clusters": 255}}])", "wants a whole number from 2 to 254, got 255");
  refuses(R"([{"quantize": {"weight_bits": 1}}])", "wants a whole number from 2 to 8, got 1");
  refuses(R"([{"quantize": {"layer_bits": {"dense": 9}}}])", "/0/quantize/layer_bits/dense: wants");
  refuses(R"([{"quantize": {"weights": "binary", "learned_step": true}}])", "leave learned_step");
  refuses(R"([{"distill": {}}])", "/0/distill: wants \"teacher\"");
  refuses(R"([{"distill": {"teacher": ""}}])", "/0/distill/teacher: wants 1 to 4096 bytes");
  refuses(R"([{"distill": {"teacher": "t", "temperature": 0}}])", "/0/distill/temperature: wants");
  refuses(R"([{"distill": {"teacher": "t", "weight": 1.5}}])", "/0/distill/weight: wants");
  refuses(R"([{"rate": {"ramp_until": 0.9}}])", "/0/rate: wants float_until < ramp_until");
  refuses(std::string(200'000, '['), "nested deeper");
  refuses("[" + std::string(1 << 20, ' ') + "]", "more than 1048576");
  std::string many = "[{\"epochs\": 1}";
  for (int i = 0; i < 64; ++i) many += ", {\"epochs\": 1}";
  refuses(many + "]", "wants 1 to 64 elements, got 65");
}

TEST_CASE("rows of a table have no pixels to move: augment may add noise, and nothing else") {
  const auto stage = [](const std::string& augment) {
    return parse_recipe(R"([{"epochs": 1, "augment": {)" + augment + "}}]", "r.json").stages[0];
  };
  for (const char* moves : {R"("shift": 1)", R"("flip": 0.5)", R"("rotate": 5)", R"("crop": 0.9)",
                            R"("noise": 0.1, "cutout": 2)"}) {
    CHECK_THROWS_WITH_AS(recipe::check_changes(stage(moves), {1, 1, 6}),
                         doctest::Contains("r.json: /0/augment: "), Error);
    CHECK_NOTHROW(recipe::check_changes(stage(moves), {8, 8, 1}));
  }
  CHECK_NOTHROW(recipe::check_changes(stage(R"("noise": 0.1)"), {1, 1, 6}));
}
