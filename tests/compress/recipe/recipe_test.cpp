// Reading and printing recipes.
#include "compress/recipe/recipe.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "compress/recipe/stage_passes.hpp"
#include "core/base/file.hpp"

using namespace espalier;
using recipe::parse_recipe;
using recipe::Recipe;
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(std::string(ESPALIER_SOURCE_DIR) + "/" + path);
  return {bytes.begin(), bytes.end()};
}

const recipe::Stage& only(const Recipe& r) {
  REQUIRE(r.stages.size() == 1);
  return r.stages[0];
}

}  // namespace

TEST_CASE("what is left out is the pass's own default") {
  const Recipe r = parse_recipe(
      R"([{"epochs": 3}, {"prune": {}}, {"cluster": {}}, {"cluster": {}, "quantize": {}}])", "r");
  REQUIRE(r.stages.size() == 4);
  CHECK(r.stages[0].name() == "train");
  CHECK(r.stages[0].epochs == 3);
  CHECK(r.stages[1].epochs == 4);
  CHECK(r.stages[1].learning_rate == 5e-3f);
  const prune::PrunerOptions pruner = options_of(*r.stages[1].prune), defaults;
  CHECK(pruner.frequency_steps == defaults.frequency_steps);
  CHECK(pruner.gradient == defaults.gradient);
  CHECK(pruner.clear_moments == defaults.clear_moments);
  CHECK(pruner.schedule(1) == 0.8f);
  CHECK(r.stages[2].cluster->preserve_sparsity);  // after prune
  const cluster::WeightClustering::Options clusters = options_of(*r.stages[2].cluster), their;
  CHECK(clusters.clusters == their.clusters);
  CHECK(clusters.init == their.init);
  CHECK(clusters.learning_rate == their.learning_rate);
  CHECK(r.stages[3].name() == "cluster + quantize");
  CHECK_FALSE(r.stages[3].quantize->per_channel);  // beside cluster
  const auto alone = parse_recipe(R"([{"quantize": {}}])", "r");
  const quantize::QuantizationAware::Options aware = options_of(*only(alone).quantize), own;
  CHECK(aware.per_channel == own.per_channel);
  CHECK(aware.weight_bits == own.weight_bits);
  CHECK(aware.observer == own.observer);
  CHECK(aware.freeze_at == own.freeze_at);
  CHECK(aware.scale_bits == own.scale_bits);
  CHECK(only(parse_recipe(R"([{"quantize": {}, "epochs": 0}])", "r")).quantize->observer ==
        quantize::ObserverKind::kMinMax);
  const auto rate = parse_recipe(R"([{"rate": {}}])", "r");
  const auto penalty = rate_options_of(only(rate));
  const rate::RatePenalty::Options theirs;
  CHECK(only(rate).epochs == 100);
  CHECK(penalty.learning_rate == 0.05f);
  CHECK(penalty.lambda == theirs.lambda);
  CHECK(penalty.max_level == theirs.max_level);
  CHECK(penalty.first_step == theirs.first_step);
  CHECK(penalty.middle_step == theirs.middle_step);
  CHECK(penalty.last_step == theirs.last_step);
  CHECK(penalty.step_learning_rate == theirs.step_learning_rate);
  CHECK(penalty.bias_step == theirs.bias_step);
  CHECK(penalty.bias_lambda == theirs.bias_lambda);
  CHECK(penalty.slope_floor_bits == theirs.slope_floor_bits);
  CHECK(penalty.float_until == theirs.float_until);
  CHECK(penalty.ramp_until == theirs.ramp_until);
  CHECK(penalty.activations_from == theirs.activations_from);
  CHECK(penalty.freeze_at == theirs.freeze_at);
  CHECK(penalty.scale_bits == theirs.scale_bits);
}

TEST_CASE("what a recipe says is what the pass gets: pruning and clusters") {
  const auto p = options_of(*only(parse_recipe(R"([{"prune": {
      "sparsity": 0.7, "schedule": "polynomial", "initial": 0.2, "begin": 0.1, "end": 0.6, "power": 2,
      "frequency_steps": 7, "min_values": 50, "layers": ["a"], "criterion": "random",
      "structure": "blocks", "block_outputs": 3, "block_inputs": 5, "block_pool": "max",
      "allocation": "erk", "gradient": "straight_through", "clear_moments": true, "seed": 9}}])",
                                               "r"))
                                 .prune);
  const auto curve = prune::polynomial_sparsity(
      {.initial = 0.2f, .final = 0.7f, .begin = 0.1f, .end = 0.6f, .power = 2});
  for (const float progress : {0.0f, 0.1f, 0.2f, 0.5f, 0.6f, 1.0f})
    CHECK(p.schedule(progress) == curve(progress));
  CHECK(p.frequency_steps == 7);
  const Parameter large(Tensor({5, 10})), small(Tensor({5, 5}));
  CHECK(p.select("a.weight", large));
  CHECK_FALSE(p.select("a.weight", small));
  CHECK_FALSE(p.select("b.weight", large));
  CHECK(p.criterion == prune::Criterion::kRandom);
  const auto& blocks = std::get<prune::Blocks>(p.structure);
  CHECK(blocks.outputs == 3);
  CHECK(blocks.inputs == 5);
  CHECK(blocks.pool == prune::Blocks::Pool::kMax);
  CHECK(std::holds_alternative<prune::Erk>(p.allocation));
  CHECK(p.gradient == prune::MaskGradient::kStraightThrough);
  CHECK(p.clear_moments);
  CHECK(p.seed == 9);

  const auto n = options_of(*only(parse_recipe(R"([{"prune": {"schedule": "constant", "begin": 0.3,
      "sparsity": 0.5, "structure": "n_of_m", "keep": 1, "of": 4, "allocation": "per_layer",
      "sparsities": {"a": 0.9}}}])",
                                               "r"))
                                 .prune);
  CHECK(n.schedule(0.29f) == 0);
  CHECK(n.schedule(0.3f) == 0.5f);
  CHECK(std::get<prune::NofM>(n.structure).keep == 1);
  CHECK(std::get<prune::NofM>(n.structure).of == 4);
  CHECK(std::get<prune::PerLayer>(n.allocation).sparsity.at("a") == 0.9f);

  const auto u =
      options_of(*only(parse_recipe(R"([{"units": {"sparsity": 0.4, "schedule": "constant",
      "frequency_steps": 3, "layers": ["a"], "global": true}}])",
                                    "r"))
                      .units);
  CHECK(u.schedule(1) == 0.4f);
  CHECK(u.frequency_steps == 3);
  CHECK(u.select("a.weight", large));
  CHECK_FALSE(u.select("b.weight", large));
  CHECK(u.global);

  const auto c = options_of(*only(parse_recipe(R"([{"cluster": {"clusters": 5, "init": "density",
      "gradient": "average", "per_channel": true, "preserve_sparsity": true, "bit_price": 0.25,
      "learning_rate": 0.5, "layers": ["a"], "seed": 4}}])",
                                               "r"))
                                 .cluster);
  CHECK(c.clusters == 5);
  CHECK(c.init == cluster::Init::kDensity);
  CHECK(c.gradient == cluster::GradientRule::kAverage);
  CHECK(c.per_channel);
  CHECK(c.preserve_sparsity);
  CHECK(c.bit_price == 0.25f);
  CHECK(c.learning_rate == 0.5f);
  CHECK(c.select("a.weight", large));
  CHECK_FALSE(c.select("b.weight", large));
  CHECK(c.seed == 4);
}

TEST_CASE("what a recipe says is what the pass gets: integers and rate") {
  const auto q = options_of(*only(parse_recipe(R"([{"epochs": 0, "quantize": {"weight_bits": 5,
      "layer_bits": {"a": 3}, "float_layers": ["b"], "weights": "ternary", "per_channel": false,
      "activation_bits": 4, "layer_activation_bits": {"a": 2}, "observer": "entropy",
      "freeze_at": 0.5, "round_from": 0.25, "scale_bits": 6, "bias_correction": true}}])",
                                               "r"))
                                 .quantize);
  CHECK(q.weight_bits == 5);
  CHECK(q.layer_bits.at("a") == 3);
  CHECK(q.float_layers == std::vector<std::string>{"b"});
  CHECK(q.weights == quantize::WeightLevels::kTernary);
  CHECK_FALSE(q.per_channel);
  CHECK(q.activation_bits == 4);
  CHECK(q.layer_activation_bits.at("a") == 2);
  CHECK(q.observer == quantize::ObserverKind::kEntropy);
  CHECK(q.freeze_at == 0.5f);
  CHECK(q.round_from == 0.25f);
  CHECK(q.scale_bits == 6);
  CHECK(q.bias_correction);
  const auto lsq = options_of(
      *only(parse_recipe(R"([{"quantize": {"learned_step": true, "step_learning_rate": 0.125}}])",
                         "r"))
           .quantize);
  CHECK(lsq.learned_step);
  CHECK_FALSE(lsq.learned_activation_step);
  const auto both = options_of(*only(parse_recipe(R"([{"quantize": {
      "learned_activation_step": true, "activation_step_learning_rate": 0.5}}])",
                                                  "r"))
                                    .quantize);
  CHECK(both.learned_activation_step);
  CHECK(both.activation_step_learning_rate == 0.5f);

  const auto r = rate_options_of(only(parse_recipe(R"([{"learning_rate": 0.5, "rate": {
      "lambda": 0.25, "max_level": 9, "first_step": 2, "middle_step": 3, "last_step": 4,
      "step_learning_rate": 0.125, "bias_step": 0.5, "bias_lambda": 6, "slope_floor_bits": 7,
      "float_until": 0.125, "ramp_until": 0.25, "activations_from": 0.375, "freeze_at": 0.75,
      "scale_bits": 5}}])",
                                                   "r")));
  CHECK(r.learning_rate == 0.5f);
  CHECK(r.lambda == 0.25f);
  CHECK(r.max_level == 9);
  CHECK(r.first_step == 2);
  CHECK(r.middle_step == 3);
  CHECK(r.last_step == 4);
  CHECK(r.step_learning_rate == 0.125f);
  CHECK(r.bias_step == 0.5f);
  CHECK(r.bias_lambda == 6);
  CHECK(r.slope_floor_bits == 7);
  CHECK(r.float_until == 0.125f);
  CHECK(r.ramp_until == 0.25f);
  CHECK(r.activations_from == 0.375f);
  CHECK(r.freeze_at == 0.75f);
  CHECK(r.scale_bits == 5);
}

TEST_CASE("every key of the schema is read, changes the recipe, and is printed back") {
  const auto schema = nlohmann::json::parse(recipe::recipe_schema());
  // A value that is allowed and is not the default.
  const auto other = [](const nlohmann::json& p, const nlohmann::json& now) -> nlohmann::json {
    const std::string type = p.at("type");
    if (type == "boolean") return !now.get<bool>();
    if (type == "array") return {"conv1"};
    if (type == "object") {
      const bool bits = p.at("additionalProperties").at("type") == "integer";
      return {{"conv1", bits ? nlohmann::json(3) : nlohmann::json(0.25)}};
    }
    if (type == "string" && !p.contains("enum")) return "another";
    if (type == "string") {
      for (const auto& word : p.at("enum"))
        if (word != now && word != "per_layer") return word;
    }
    if (type == "integer") return now == p.at("minimum") ? now.get<int>() + 1 : now.get<int>() - 1;
    for (const double v : {0.0625, 0.4375, 0.8125})  // near, so that pairs keep their order
      if (v != now && v >= p.value("minimum", 0.0) && std::abs(v - now.get<double>()) < 0.25)
        return v;
    return now.get<double>() + 0.125;
  };
  const auto full = [](const nlohmann::json& stage) {
    return nlohmann::json::parse(
        recipe::format_recipe(parse_recipe(nlohmann::json::array({stage}).dump(), "r")))[0];
  };
  int keys = 0;
  const auto& properties = schema.at("items").at("properties");
  for (const auto& [pass, description] : properties.items()) {
    if (description.at("type") != "object") {  // the stage's own
      nlohmann::json stage = {{"prune", nlohmann::json::object()}};
      if (pass == "nesterov") stage["optimizer"] = "sgd";
      if (pass == "early_stop") stage = {{"epochs", 2}};
      const auto before = full(stage);
      stage[pass] = other(description, before.at(pass));
      CHECK_MESSAGE(full(stage).at(pass) == stage[pass], pass);
      ++keys;
      continue;
    }
    nlohmann::json least = nlohmann::json::object();
    for (const auto& required : description.value("required", nlohmann::json::array()))
      least[required.get<std::string>()] = "a file";
    nlohmann::json stage = {{pass, least}};
    const auto before = full(stage);
    CHECK(before.at(pass).size() == description.at("properties").size());
    for (const auto& [key, property] : description.at("properties").items()) {
      stage[pass] = least;
      stage[pass][key] = other(property, before.at(pass).at(key));
      if (key == "sparsities") stage[pass]["allocation"] = "per_layer";
      stage.erase("epochs");
      if (key == "bias_correction") stage["epochs"] = 0;
      if (key == "block_outputs" || key == "block_inputs") stage[pass]["structure"] = "blocks";
      const auto after = full(stage);
      CHECK_MESSAGE(after.at(pass).at(key) == stage[pass][key], pass << " " << key);
      CHECK_MESSAGE(after != before, pass << " " << key);
      ++keys;
    }
  }
  CHECK(keys > 60);
}

TEST_CASE("a recipe in full parses to itself") {
  const Recipe r = parse_recipe(
      R"([{"epochs": 1, "learning_schedule": "constant"},
          {"prune": {"sparsity": 0.8, "structure": "blocks", "block_outputs": 2,
                     "allocation": "per_layer", "sparsities": {"conv1": 0.1}}},
          {"quantize": {"layer_bits": {"dense": 4}}, "epochs": 2, "learning_rate": 0.0003}])",
      "r");
  const std::string printed = recipe::format_recipe(r);
  CHECK(printed.find("\"sparsity\": 0.8,") != std::string::npos);  // not 0.800000011920929
  CHECK(printed.find("\"frequency_steps\": 0") != std::string::npos);
  CHECK(recipe::format_recipe(parse_recipe(printed, "printed")) == printed);
}

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

TEST_CASE("the schema file is what the code reads; the page's recipes are good") {
  CHECK(text_of("compress/recipe/recipe.schema.json") == recipe::recipe_schema());
  const std::string page = text_of("compress/recipe/RECIPES.md");
  int examples = 0;
  const std::string begin = "```json\n";
  for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const auto from = at + begin.size();
    CHECK_NOTHROW(parse_recipe(page.substr(from, page.find("```", from) - from), "RECIPES.md"));
    ++examples;
  }
  CHECK(examples >= 3);
}
