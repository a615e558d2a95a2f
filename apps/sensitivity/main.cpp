// espalier-sensitivity, which `espalier sensitivity` calls: how far can each layer be pruned alone?
#include <algorithm>
#include <iostream>
#include <optional>

#include "apps/common/model_input.hpp"
#include "apps/common/program.hpp"
#include "apps/common/table_metadata.hpp"
#include "apps/smallest/weights_file.hpp"
#include "compress/prune/sensitivity.hpp"
#include "core/archive/archive.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::apps {
namespace {

struct SensitivityProgramOptions {
  std::filesystem::path weights;
  std::string model;  // as load_weights()
  DataOptions data;
  prune::SensitivityOptions scan;
  std::vector<std::string> layers;
  float sparsity = 0.8f;           // of all weights, which the choice meets
  std::optional<double> max_drop;  // percentage points, in its place
  bool json = false, quiet = false;
};

struct Subject {
  ModelJson network;
  TrainingData data;
};

// A network of the library's kinds is built for the data; any other says which images it takes.
Subject load(const SensitivityProgramOptions& options) {
  DataOptions wanted = options.data;
  wanted.quiet = options.quiet;
  if (!options.model.empty() && !options.model.ends_with(".json")) {
    network_kind(options.model);  // or refuses, before any data
    TrainingData data = load_training_data(wanted);
    const datasets::Dataset& train = *data.data.train;
    const Task task{.image = train.image_shape(), .classes = train.classes()};
    return {load_weights(options.weights, options.model, task), std::move(data)};
  }
  ModelJson network = load_weights(options.weights, options.model, {});
  const std::string file = options.weights.string();
  require(network.input.rank() == 3, file, "takes inputs of ", network.input,
          ", which are no images [H W C]");
  ModelInput input{file, {network.input[0], network.input[1], network.input[2]}, network.labels};
  add_table(input, load_archive(options.weights).metadata);
  TrainingData data = load_data_for(input, wanted);
  return {std::move(network), std::move(data)};
}

prune::Selection selection(const std::vector<std::string>& layers) {
  if (layers.empty()) return prune::weights();
  return [these = prune::named(layers)](const std::string& name, const Parameter& p) {
    return prune::weights()(name, p) && these(name, p);
  };
}

void require_layers(const std::vector<std::string>& layers, Sequential& model) {
  for (const std::string& layer : layers) {
    bool any = false;
    model.visit({.parameter = [&](const std::string& name, Parameter& p) {
      any = any || prune::named({layer})(name, p);
    }});
    require(any, "--layers", "the network has no ", layer, " with parameters");
  }
}

// As the keys of a recipe's prune.
Json chosen_json(const prune::PerLayer& chosen) {
  Json json = {{"allocation", "per_layer"}, {"sparsities", Json::object()}};
  for (const auto& [name, sparsity] : chosen.sparsity)
    json["sparsities"][name] = shortest_decimal(sparsity);
  return json;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void scan(SensitivityProgramOptions options) {
  install_interrupt_handler();
  set_threads(1);
  if (options.json) options.quiet = true;
  options.scan.quiet = options.quiet;
  options.scan.select = selection(options.layers);
  require(!options.scan.sparsities.empty(), "--sparsities", "wants at least one");
  const float most = std::ranges::max(options.scan.sparsities);
  require(options.max_drop || options.sparsity <= most, "--sparsity", "is ", options.sparsity,
          ", and nothing above ", most, " is measured; lower it, or give --sparsities more");
  Subject subject = load(options);
  require_layers(options.layers, subject.network.model);
  const datasets::Dataset& images = *subject.data.data.train;
  const Shape output = subject.network.model.output_shape(images.image_shape());
  require(output == Shape{images.classes()}, options.weights.string(), "the network ends in ",
          output, ", the data has ", images.classes(), " classes");
  const auto found = prune::sensitivity(subject.network.model, images, options.scan);
  const prune::PerLayer chosen = options.max_drop
                                     ? prune::choose_sparsities(found, *options.max_drop / 100)
                                     : prune::share_by_sensitivity(found, double{options.sparsity});
  if (options.json) {
    Json json = prune::json_of(found);
    json["images"] = std::min(options.scan.images, images.size());
    json["data"] = subject.data.name;
    json["chosen"] = chosen_json(chosen);
    std::cout << dumped(json) << '\n';
    return;
  }
  const bool numbers = images.has_targets();
  std::cout
      << prune::table_of(found, terminal_width(1))
      << (numbers ? "R2 (100 %: perfect, 0 %: no better than the mean) on " : "Accuracy on ")
      << with_commas(std::min(options.scan.images, images.size())) << " of the training "
      << (numbers ? "rows of " : "images of ") << printable(subject.data.name)
      << "; of the model as it is " << percent(found.baseline) << ".\n"
      << (options.max_drop
              ? "The most at which each alone loses no more than " + fixed(*options.max_drop, 2) +
                    " points; together they lose more"
              : percent(double{options.sparsity}, 1) +
                    " of all weights, each tensor so far that alone it would lose equally much")
      << ":\n  {\"prune\": " << dumped(chosen_json(chosen)) << "}\n";
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app("Says how far each layer can be pruned: its accuracies with each one pruned alone.");
  app.name("espalier sensitivity");
  SensitivityProgramOptions options;
  app.add_option("weights", options.weights,
                 "A .safetensors file of weights in float, as espalier train --weights writes it")
      ->required();
  app.add_option("--model", options.model,
                 "The network of weights that do not say it themselves: a name of those below, or "
                 "a model.json");
  add_data_options(app, options.data);
  app.add_option(
         "--images", options.scan.images,
         "Accuracy is taken on so many of the training images, at most all, drawn at random")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30))
      ->capture_default_str();
  app.add_option("--seed", options.scan.seed, "Of that draw")
      ->check(CLI::Range(0.0, 1e18))
      ->capture_default_str();
  app.add_option("--sparsities", options.scan.sparsities,
                 "To measure, rising (default: 0.1,0.2 to 0.9,0.95,0.99)")
      ->delimiter(',');
  app.add_option("--layers", options.layers,
                 "Only these layers or parameters (default: all weights)")
      ->delimiter(',');
  auto* sparsity = app.add_option("--sparsity", options.sparsity,
                                  "Share so many zeros among the layers, by what each can lose")
                       ->check(CLI::Range(0.0, 0.9999))
                       ->capture_default_str();
  app.add_option("--max-drop", options.max_drop,
                 "Or take of each layer what costs it alone at most so many percentage points (of "
                 "accuracy, or of R2)")
      ->check(CLI::Range(0.0, 100.0))
      ->excludes(sparsity);
  app.add_flag("--json", options.json, "Print one line of JSON, and nothing else");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "Each weight tensor is pruned by magnitude at one sparsity after the other, without "
      "training,\n"
      "while the others stay whole (Han et al. 2015). The last line is a recipe's: its sparsities "
      "can\n"
      "be edited. Of predicted numbers R2 stands in place of the accuracy.\n"
      "\"allocation\": \"sensitivity\" in a recipe measures and shares by itself.\n"
      "Networks:" +
      network_list() +
      "\nExit codes: 0 ok, 2 usage, 3 corrupt weights, 4 I/O, 130 Ctrl-C.\n"
      "Examples: espalier train --recipe recipe.json --weights float.safetensors\n"
      "          espalier sensitivity float.safetensors --sparsity 0.9\n"
      "          espalier sensitivity float.safetensors --data flowers --max-drop 0.5 --json");
  return run_program(app, argc, argv, [&] { scan(options); });
}
