// What a recipe says, and leaves out, is what the passes get.
#include <doctest/doctest.h>

#include "compress/recipe/recipe.hpp"
#include "compress/recipe/stage_passes.hpp"

using namespace espalier;
using recipe::parse_recipe;
using recipe::Recipe;
namespace {

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
