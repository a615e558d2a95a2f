// A recipe trains what the same calls in C++ train: the same bytes.
#include "compress/recipe/run_recipe.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <set>

#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/sensitivity.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "compress/rate/rate_penalty.hpp"
#include "compress/recipe/packed.hpp"
#include "datasets/augmentation.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/find_parameter.hpp"
#include "layers/flatten.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"
#include "tests/compress/recipe/networks.hpp"

using namespace espalier;
using tests::fit_options;
using tests::small_network;
namespace {

const datasets::TrainTest& digits() {
  static const auto data = datasets::synthetic_digits({.train = 300, .test = 40});
  return data;
}

Bytes file_of(Sequential& model, const quantize::IntegerNetwork* network = nullptr) {
  return format::write(network ? pack::pack(*network, {28, 28, 1})
                               : pack::pack(model, {28, 28, 1}));
}

Bytes by_recipe(const std::string& text, const recipe::RunOptions& options = {.quiet = true}) {
  Sequential model = small_network();
  const auto integers =
      run_recipe(model, *digits().train, recipe::parse_recipe(text, "recipe.json"), options);
  return file_of(model, integers ? &*integers : nullptr);
}

}  // namespace

TEST_CASE("train, prune, quantize: recipe and C++ write the same bytes") {
  Sequential model = small_network();
  training::fit(model, *digits().train, fit_options(1, 1e-3f, 1));
  prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.initial = 0.5f, .final = 0.7f}),
                        .frequency_steps = 2});
  training::fit(model, *digits().train, fit_options(2, 5e-3f, 2), {&pruner});
  pruner.bake();
  const Bytes pruned = file_of(model);
  prune::KeepZeros zeros;
  quantize::QuantizationAware aware({.layer_bits = {{"dense", 4}}});
  training::fit(model, *digits().train, fit_options(2, 5e-4f, 3), {&zeros, &aware});
  aware.bake();
  zeros.bake();

  std::vector<Bytes> stages;
  const recipe::RunOptions options{.quiet = true, .on_stage = [&](const recipe::StageReport& r) {
                                     stages.push_back(file_of(r.model, r.network));
                                   }};
  const Bytes file = by_recipe(
      R"([{"epochs": 1},
          {"prune": {"sparsity": 0.7, "initial": 0.5, "frequency_steps": 2}, "epochs": 2},
          {"quantize": {"layer_bits": {"dense": 4}}}])",
      options);
  REQUIRE(stages.size() == 3);
  CHECK(stages[1] == pruned);
  CHECK(file == file_of(model, &aware.network()));
  CHECK(file == stages[2]);
}

TEST_CASE("PCQAT, filters, calibration, rate: recipe and C++ write the same bytes") {
  SUBCASE("prune, cluster, cluster + quantize") {
    Sequential model = small_network();
    prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
    training::fit(model, *digits().train, fit_options(2, 5e-3f, 1), {&pruner});
    pruner.bake();
    cluster::WeightClustering before({.clusters = 8, .preserve_sparsity = true});
    training::fit(model, *digits().train, fit_options(1, 5e-4f, 2), {&before});
    before.bake();
    cluster::WeightClustering clustering({.clusters = 8, .preserve_sparsity = true});
    quantize::QuantizationAware aware({.per_channel = false});
    training::fit(model, *digits().train, fit_options(2, 5e-4f, 3), {&clustering, &aware});
    aware.bake();
    clustering.bake();
    CHECK(
        by_recipe(
            R"([{"prune": {"sparsity": 0.5, "schedule": "constant", "frequency_steps": 100}, "epochs": 2},
                        {"cluster": {"clusters": 8}, "epochs": 1},
                        {"cluster": {"clusters": 8}, "quantize": {}}])") ==
        file_of(model, &aware.network()));
  }
  SUBCASE("units, then calibration") {
    Sequential model = small_network();
    prune::UnitPruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.5f})});
    training::fit(model, *digits().train, fit_options(2, 5e-3f, 1), {&pruner});
    pruner.bake();
    CHECK(prune::remove_zero_units(model, {28, 28, 1}) == 3);
    quantize::QuantizationAware pass({.observer = quantize::ObserverKind::kMinMax});
    pass.attach(model);
    pass.calibrate(*digits().train, 300);
    pass.bake();
    CHECK(
        by_recipe(
            R"([{"units": {"frequency_steps": 100}, "epochs": 2}, {"quantize": {}, "epochs": 0}])") ==
        file_of(model, &pass.network()));
  }
  SUBCASE("prune at once") {
    Sequential model = small_network();
    prune::prune_now(model, {.schedule = prune::constant_sparsity(0.6f),
                             .structure = prune::Blocks{.outputs = 2, .inputs = 2},
                             .allocation = prune::Global{}});
    CHECK(by_recipe(R"([{"prune": {"sparsity": 0.6, "structure": "blocks", "block_outputs": 2,
                         "block_inputs": 2, "allocation": "global"}, "epochs": 0}])") ==
          file_of(model));
  }
  SUBCASE("prune as each layer's sensitivity allows") {
    Sequential model = small_network();
    training::fit(model, *digits().train, fit_options(3, 5e-3f, 1));
    const auto measured = prune::sensitivity(
        model, *digits().train,
        {.structure = prune::Blocks{.outputs = 1, .inputs = 2}, .images = 200, .quiet = true});
    const auto shared = prune::share_by_sensitivity(measured, double{0.7f});
    CHECK(shared.sparsity.at("conv.weight") != shared.sparsity.at("dense.weight"));
    prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.7f}),
                          .frequency_steps = 2,
                          .structure = prune::Blocks{.outputs = 1, .inputs = 2},
                          .allocation = shared});
    training::fit(model, *digits().train, fit_options(2, 5e-3f, 2), {&pruner});
    pruner.bake();
    CHECK(prune::model_sparsity(model) == doctest::Approx(0.7).epsilon(1e-3));
    std::map<std::string, float> reported;
    const recipe::RunOptions options{.quiet = true, .on_stage = [&](const auto& r) {
                                       if (r.stage.prune) reported = r.stage.prune->sparsities;
                                     }};
    CHECK(by_recipe(R"([{"epochs": 3, "learning_rate": 0.005},
                        {"prune": {"sparsity": 0.7, "structure": "blocks", "block_inputs": 2,
                         "allocation": "sensitivity", "sensitivity_images": 200,
                         "frequency_steps": 2}, "epochs": 2}])",
                    options) == file_of(model));
    CHECK(reported == shared.sparsity);
  }
  SUBCASE("augmented training") {
    Sequential model = small_network();
    training::FitOptions fit = fit_options(2, 1e-3f, 1);
    fit.epoch_data = [](int epoch) {
      return std::make_shared<datasets::Augmentation>(
          digits().train,
          std::vector<datasets::Change>{datasets::shift(2), datasets::rotate(10),
                                        datasets::scale({.smallest = 0.9f, .largest = 1.2f})},
          datasets::AugmentationOptions{.seed = 1, .epoch = static_cast<std::uint64_t>(epoch)});
    };
    training::fit(model, *digits().train, fit);
    CHECK(by_recipe(R"([{"epochs": 2, "augment": {"shift": 2, "rotate": 10, "scale_smallest": 0.9,
                         "scale_largest": 1.2}}])") == file_of(model));
  }
  SUBCASE("AdamW on a smoothed, balanced loss; SGD by steps") {
    Sequential model = small_network();
    training::FitOptions fit = fit_options(1, 1e-3f, 1);
    fit.schedule = optim::warm_up(0.25f, optim::cosine());
    fit.loss = training::class_loss(
        {.smoothing = 0.1f, .class_weights = training::balanced_weights(*digits().train)});
    fit.optimizer = [](std::vector<Variable> p) {
      return std::make_unique<optim::Adam>(
          std::move(p), optim::Adam::Options{.learning_rate = 1e-3f, .weight_decay = 0.01f});
    };
    training::fit(model, *digits().train, fit);
    fit = fit_options(2, 0.02f, 2);
    fit.schedule = optim::step();
    fit.optimizer = [](std::vector<Variable> p) {
      return std::make_unique<optim::Sgd>(
          std::move(p),
          optim::Sgd::Options{.learning_rate = 0.02f, .momentum = 0.9f, .nesterov = true});
    };
    training::fit(model, *digits().train, fit);
    CHECK(by_recipe(R"([{"epochs": 1, "warm_up": 0.25, "weight_decay": 0.01,
                         "label_smoothing": 0.1, "balanced_classes": true},
                        {"epochs": 2, "learning_rate": 0.02, "learning_schedule": "step",
                         "optimizer": "sgd", "nesterov": true}])") == file_of(model));
  }
  SUBCASE("rate") {
    Sequential model = small_network();
    const rate::RatePenalty::Options options{.lambda = 3e-5f, .learning_rate = 0.03f};
    rate::RatePenalty penalty(options);
    training::fit(model, *digits().train, fit_options(4, 0.03f, 1), {&penalty});
    penalty.bake();
    CHECK(by_recipe(R"([{"rate": {"lambda": 3e-5}, "epochs": 4, "learning_rate": 0.03}])") ==
          file_of(model, &penalty.network()));
  }
}

TEST_CASE("float16 and dynamic range: recipe and C++ write the same bytes, also beside integers") {
  const auto by = [](const std::string& text) {
    Sequential model = small_network();
    const auto recipe = recipe::parse_recipe(text, "recipe.json");
    const auto integers = run_recipe(model, *digits().train, recipe, {.quiet = true});
    return format::write(recipe::packed(model, integers ? &*integers : nullptr, {28, 28, 1}, recipe,
                                        recipe.stages.size() - 1));
  };
  Sequential model = small_network();
  training::fit(model, *digits().train, fit_options(1, 1e-3f, 1));
  const auto floats = pack::pack(model, {28, 28, 1});
  auto halves = floats, levels = floats;
  pack::to_float16(halves, {.keep = {"conv"}});
  pack::to_dynamic_range(levels, {.bits = 5});
  CHECK(by(R"([{"epochs": 1}, {"float16": {"keep": ["conv"]}}])") == format::write(halves));
  CHECK(by(R"([{"epochs": 1}, {"dynamic_range": {"bits": 5}}])") == format::write(levels));

  quantize::QuantizationAware pass(
      {.float_layers = {"conv"}, .observer = quantize::ObserverKind::kMinMax});
  pass.attach(model);
  pass.calibrate(*digits().train, 300);
  pass.bake();
  auto mixed = pack::pack(pass.network(), {28, 28, 1});
  pack::to_dynamic_range(mixed);
  CHECK(mixed.layers[0].weight.bits == 8);
  CHECK(by(R"([{"epochs": 1}, {"quantize": {"float_layers": ["conv"]}, "epochs": 0},
               {"dynamic_range": {}}])") == format::write(mixed));
}

TEST_CASE("after rate the file has live units alone, sorted") {
  Sequential model = small_network();
  const auto recipe = recipe::parse_recipe(
      R"([{"rate": {"lambda": 3e-4}, "epochs": 12, "learning_rate": 0.03, "batch_size": 32}])",
      "recipe.json");
  const auto integers = run_recipe(model, *digits().train, recipe, {.quiet = true});
  auto wanted = pack::pack(*integers, {28, 28, 1});
  const auto as_trained = format::write(wanted);
  pack::remove_dead_units(wanted);
  pack::sort_units(wanted);
  CHECK(wanted.layers[0].weight.shape[0] < 6);
  const auto file = recipe::packed(model, &*integers, {28, 28, 1}, recipe, 0);
  CHECK(file == wanted);
  CHECK(format::write(file).size() < as_trained.size());
}

TEST_CASE("a run that was stopped goes on from its checkpoints to the same bytes") {
  std::string text;
  SUBCASE("pruned evenly") {
    text = R"([{"epochs": 1}, {"prune": {"sparsity": 0.5}, "epochs": 2}, {"quantize": {}}])";
  }
  SUBCASE("pruned by sensitivity, which is measured again, and learned steps") {
    text = R"([{"epochs": 1},
               {"prune": {"sparsity": 0.5, "allocation": "sensitivity"}, "epochs": 2},
               {"quantize": {"learned_step": true, "learned_activation_step": true}}])";
  }
  const auto folder = std::filesystem::temp_directory_path() /
                      ("espalier_recipe_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const Bytes whole = by_recipe(text);
  struct Stopped {};
  const recipe::RunOptions stops{
      .quiet = true, .checkpoints = folder, .on_stage = [](const recipe::StageReport& r) {
        if (r.index == 1) throw Stopped{};
      }};
  CHECK_THROWS_AS(by_recipe(text, stops), Stopped);
  const auto written = [&](int stage) {
    return std::filesystem::last_write_time(folder /
                                            ("stage-" + std::to_string(stage) + ".checkpoint"));
  };
  const auto first = written(0), second = written(1);
  CHECK_FALSE(std::filesystem::exists(folder / "stage-2.checkpoint"));
  CHECK(by_recipe(text, {.quiet = true, .checkpoints = folder}) == whole);
  CHECK(written(0) == first);  // what was done is not done again
  CHECK(written(1) == second);
  CHECK(written(2) > second);
  std::filesystem::remove_all(folder);
}

TEST_CASE("batch norm is folded before clusters are found: the file has no more values than they") {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 6, .kernel = 5, .stride = 3}, rng))
      .add("norm", BatchNorm({.channels = 6}))
      .add("relu", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 384, .out = 10}, rng));
  for (const char* rest : {R"({"cluster": {"clusters": 4}, "quantize": {}})",
                           R"({"cluster": {"clusters": 4}}, {"quantize": {}, "epochs": 0})"}) {
    const auto recipe =
        recipe::parse_recipe(R"([{"epochs": 2}, )" + std::string(rest) + "]", "recipe.json");
    const auto network = run_recipe(model, *digits().train, recipe, {.quiet = true});
    REQUIRE(network.has_value());
    for (const auto& layer : pack::pack(*network, {28, 28, 1}).layers) {
      const std::set<std::int8_t> values(layer.weight.levels.begin(), layer.weight.levels.end());
      CHECK_MESSAGE(values.size() <= 4, layer.name);
    }
  }
}

TEST_CASE("biases that were pruned stay zero, too") {
  const auto zero_biases = [](Sequential& model) {
    const Tensor& bias = find_parameter(*model.layers()[0].layer, "bias")->latent().value();
    return std::ranges::count(bias.values(), 0.0f);
  };
  std::vector<std::ptrdiff_t> zeros;
  const recipe::RunOptions options{.quiet = true, .on_stage = [&](const recipe::StageReport& r) {
                                     zeros.push_back(zero_biases(r.model));
                                   }};
  by_recipe(R"([{"epochs": 1},
                {"prune": {"sparsity": 0.5, "select": "weights_and_biases"}, "epochs": 2},
                {"epochs": 1}])",
            options);
  CHECK(zeros == std::vector<std::ptrdiff_t>{0, 3, 3});
}

TEST_CASE("zeros of a stage stay zero through the later ones") {
  double least = 1;
  const recipe::RunOptions options{.quiet = true, .on_stage = [&](const recipe::StageReport& r) {
                                     least = std::min(least, prune::model_sparsity(r.model));
                                   }};
  by_recipe(R"([{"prune": {"sparsity": 0.5}, "epochs": 2}, {"epochs": 1},
                {"prune": {"sparsity": 0.6, "select": "dense_weights"}, "epochs": 1},
                {"cluster": {"clusters": 4}, "epochs": 1}, {"quantize": {}, "epochs": 0}])",
            options);
  CHECK(least >= 0.5);
}

TEST_CASE("a model or a recipe that cannot be is refused before anything is trained") {
  Sequential model = small_network();
  int stages = 0;
  const recipe::RunOptions options{.quiet = true,
                                   .on_stage = [&](const recipe::StageReport&) { ++stages; }};
  recipe::Recipe wrong;
  wrong.stages.push_back({.quantize = recipe::Quantize{}});
  wrong.stages.push_back({.prune = recipe::Prune{}});
  CHECK_THROWS_WITH_AS(run_recipe(model, *digits().train, wrong, options),
                       doctest::Contains("recipe: /1: prune comes after quantize"), Error);
  Sequential no_weights;
  no_weights.add("flatten", Flatten());
  const auto later = recipe::parse_recipe(R"([{"epochs": 1}, {"quantize": {}}])", "recipe.json");
  CHECK_THROWS_WITH_AS(run_recipe(no_weights, *digits().train, later, options),
                       doctest::Contains("no convolution or dense layer"), Error);
  CHECK(stages == 0);
}

TEST_CASE("a quantize stage of one step observes in it") {
  const auto few = datasets::synthetic_digits({.train = 20, .test = 10});
  Sequential model = small_network();
  const auto integers = run_recipe(
      model, *few.train, recipe::parse_recipe(R"([{"quantize": {}, "epochs": 1}])", "recipe.json"),
      {.quiet = true});
  CHECK(integers.has_value());
}
