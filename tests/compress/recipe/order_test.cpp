// Which stage may follow which.
#include <doctest/doctest.h>

#include "compress/recipe/recipe.hpp"

using namespace espalier;
using recipe::parse_recipe;

TEST_CASE("an order that cannot be says why and what to do") {
  const auto refuses = [](const std::string& text, const std::string& part) {
    CHECK_THROWS_WITH_AS(parse_recipe(text, "r"), doctest::Contains(part.c_str()), Error);
  };
  refuses(R"([{"quantize": {}}, {"prune": {}}])",
          "r: /1: prune comes after quantize in /0, which has settled the integers of the file; "
          "put it before");
  refuses(R"([{"rate": {}}, {"quantize": {}}])", "/1: quantize comes after rate in /0");
  refuses(R"([{"quantize": {}}, {"epochs": 1}])", "/1: train comes after quantize");
  refuses(R"([{"cluster": {}}, {"prune": {}}])",
          "/1/prune: would move the weights off the clusters");
  refuses(R"([{"cluster": {}}, {"units": {}}])", "/1/units: would move");
  refuses(R"([{"cluster": {}}, {"epochs": 2}])", "/1: would move");
  refuses(R"([{"cluster": {}}, {"rate": {}}])", "/1/rate: would move");
  refuses(R"([{"cluster": {}}, {"quantize": {}}])", "let cluster ride beside it");
  refuses(R"([{"prune": {}, "cluster": {}}])", "prune in a stage before");
  refuses(R"([{"prune": {}}, {"rate": {}}])", "/1/rate: gives weights that prune in /0 took");
  refuses(R"([{"prune": {}}, {"cluster": {"preserve_sparsity": false}}])", "wants true");
  refuses(R"([{"distill": {"teacher": "t"}, "prune": {}, "epochs": 0}])",
          "/0/distill: is how a stage trains");
  refuses(R"([{"distill": {"teacher": "t"}, "label_smoothing": 0.1}])",
          "/0/label_smoothing: changes");
  refuses(R"([{"distill": {"teacher": "t"}, "balanced_classes": true}])",
          "/0/balanced_classes: changes");
  refuses(R"([{"distill": {"teacher": "t"}, "float16": {}}])", "/0/distill");
  refuses(R"([{"prune": {}, "units": {}}])", "give it a stage of its own");
  refuses(R"([{"rate": {}, "quantize": {}}])", "rides alone");
  refuses(R"([{"rate": {}, "epochs": 0}])", "/0/epochs: rate is nothing without training");
  refuses(R"([{"cluster": {}, "quantize": {"per_channel": true}}])",
          "/0/quantize/per_channel: beside cluster");
  refuses(R"([{"cluster": {}, "quantize": {"weights": "ternary"}}])", "wants \"uniform\"");
  refuses(R"([{"cluster": {}, "quantize": {"learned_step": true}}])", "wants false");
  refuses(R"([{"quantize": {"bias_correction": true}}])", "wants \"epochs\": 0");
  refuses(R"([{"quantize": {"learned_step": true}, "epochs": 0}])", "learned by training");
  refuses(R"([{"quantize": {"learned_activation_step": true}, "epochs": 0}])",
          "/0/quantize/learned_activation_step: steps are learned by training");
  refuses(R"([{"cluster": {}}, {"quantize": {"per_channel": true}, "epochs": 0}])",
          "after cluster in /0 one scale a tensor");
  refuses(R"([{"cluster": {}}, {"quantize": {"weights": "ternary"}, "epochs": 0}])",
          "after cluster in /0, which chose the values");
  refuses(R"([{"cluster": {}}, {"dynamic_range": {"per_channel": true}}])",
          "/1/dynamic_range/per_channel: after cluster in /0 one scale a tensor");
  CHECK_FALSE(parse_recipe(R"([{"cluster": {}}, {"dynamic_range": {}}])", "r")
                  .stages[1]
                  .dynamic_range->per_channel);
  CHECK(parse_recipe(R"([{"dynamic_range": {}}])", "r").stages[0].dynamic_range->per_channel);
  refuses(R"([{"cluster": {"select": "weights_and_biases"}},
              {"quantize": {"bias_correction": true}, "epochs": 0}])",
          "/1/quantize/bias_correction: would move the biases off the clusters of /0");
  refuses(R"([{"prune": {}}, {"quantize": {"weights": "binary"}}])", "prune in /0 made zeros");
  refuses(R"([{"prune": {}, "quantize": {"weights": "binary"}}])", "use \"ternary\"");
  for (const char* good : {R"([{"prune": {}}, {"prune": {}}, {"quantize": {}}])",
                           R"([{"cluster": {}}, {"quantize": {}, "epochs": 0}])",
                           R"([{"units": {}}, {"rate": {}}])", R"([{"prune": {}, "quantize": {}}])",
                           R"([{"prune": {}}, {"cluster": {}}, {"cluster": {}, "quantize": {}}])"})
    CHECK_NOTHROW(parse_recipe(good, "r"));
}
