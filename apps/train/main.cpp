// espalier-train, which `espalier train` calls: a network, trained and compressed as a recipe says.
#include <algorithm>
#include <iostream>

#include "apps/common/program.hpp"
#include "apps/common/starting_recipe.hpp"
#include "apps/common/words.hpp"
#include "apps/smallest/given_model.hpp"
#include "apps/train/training_run.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "core/kernels/precision.hpp"
#include "layers/model_json.hpp"

namespace espalier::apps {
namespace {

// What to do where nobody says it, for such data and network.
recipe::Recipe starting(const StartingData& data, const std::optional<int>& epochs) {
  auto recipe = recipe::parse_recipe(starting_recipe(data), "the recipe to start from");
  return epochs ? of_epochs(std::move(recipe), *epochs) : recipe;
}

StartingData known_of(const TrainingData& data, const std::string& network) {
  const datasets::Dataset& train = *data.data.train;
  return starting_data(train.image_shape(), train.size(), !data.columns.empty(), network);
}

std::string suiting(const TrainingData& data) {
  return starting_network(data.data.train->image_shape(), !data.columns.empty());
}

// A recipe can be shown without MNIST; nothing is downloaded for it.
StartingData to_show(const TrainingOptions& options) {
  if (options.data.path || options.data.synthetic) {
    const TrainingData data = load_training_data(options.data);
    return known_of(data, options.model.empty() ? suiting(data) : options.model);
  }
  const Shape digits{28, 28, 1};
  const std::int64_t all = StartingData().examples,
                     images = std::min(all, options.data.images.value_or(all));
  if (!options.quiet)
    std::cerr << "no --data: the recipe for " << with_commas(images)
              << " images of MNIST; other data may want other epochs and batches\n";
  return starting_data(digits, images, false,
                       options.model.empty() ? starting_network(digits, false) : options.model);
}

void train(TrainingOptions options, std::optional<recipe::Recipe> recipe) {
  install_interrupt_handler();
  const kernels::PrecisionInScope precision(kernels::precision_named(options.precision));
  if (options.parts > options.threads)
    warn_on_standard_error(std::to_string(options.parts) + " parts take turns on " +
                           std::to_string(options.threads) +
                           (options.threads == 1 ? " thread" : " threads") + "; --threads " +
                           std::to_string(options.parts) + " runs them at once");
  if (options.json) options.quiet = true;
  options.data.quiet = options.quiet;
  if (!options.model.empty() && !options.model.ends_with(".json"))
    network_kind(options.model);                // or refuses, before any data
  const auto lock = lock_checkpoints(options);  // before hours, and before anything of it is read
  TrainingData data = load_training_data(options.data);
  if (options.model.empty()) options.model = suiting(data);
  if (!recipe) {
    recipe = starting(known_of(data, options.model), options.epochs);
    options.epochs = 0;  // the stages have them
    if (!options.quiet)
      std::cerr
          << "no --recipe: plain training, then weights become zeros, then all become integers of "
             "5 bits; --print-recipe shows it, to be changed\n";
  }
  TrainingRun run(
      options,
      with_watch(with_training(std::move(*recipe), options.epochs, !options.from.empty()),
                 options.early_stop, options.plateau),
      std::move(data));
  try {
    run.announce();
    run.run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    fail(ErrorKind::kInterrupted, "train", "stopped by Ctrl-C; ", run.keep());
  }
  run.report();
  run.warn_of_nothing();
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app("Trains a network and compresses it as a recipe says, stage by stage.");
  app.name("espalier train");
  TrainingOptions options;
  std::string model_to_print;
  std::vector<std::int64_t> input = {28, 28, 1};
  std::int64_t outputs = 10;
  bool print_recipe = false, print_schema = false, print_model_schema = false;
  app.add_option(
      "--model", options.model,
      "The network: a name of those below, or a model.json (default: tutorial-small for grey "
      "pictures, resnet8 for colour, tabular for a CSV file)");
  app.add_option(
      "--recipe", options.recipe,
      "The stages: a JSON file (compress/recipe/RECIPES.md; default: plain training, pruning, "
      "5-bit integers, for as many epochs as the data needs; with --from: the weights are "
      "written as they are, or after --epochs)");
  add_data_options(app, options.data);
  app.add_option("--epochs", options.epochs,
                 "Of plain training before the recipe (default: 4; 0 with --from, and where the "
                 "recipe begins with training or rate); without --recipe of its plain training, "
                 "and the other stages have theirs in proportion")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--early-stop", options.early_stop,
                 "End stages of training without a pass after so many epochs without a lower "
                 "validation loss, with the best weights (a tenth of the training images is set "
                 "apart; the recipe's \"validation\" says how many)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--plateau", options.plateau,
                 "In these stages the learning rate drops to a tenth after so many such epochs")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--images", options.data.images,
                 "Only the first of the training images, for a quick look (default: all)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  app.add_option("--out", options.out, "The file to write")->capture_default_str();
  app.add_option("--weights", options.weights,
                 "Also keep the weights of the last stage in float, with their model.json: a "
                 ".safetensors file, for espalier verify --against");
  auto* from = app.add_option("--from", options.from,
                              "Start from these weights, not from random ones: a .safetensors file "
                              "as --weights keeps it, or "
                              "a state_dict of PyTorch; what went where is printed");
  app.add_option(
         "--map", options.map,
         "Which of PyTorch's modules a layer takes: JSON, {\"conv1\": \"features.0\", "
         "\"output\": null}; null keeps random values (default: found by name, shape, order)")
      ->needs(from);
  app.add_option("--log", options.log,
                 "Also write a line of JSON an epoch: loss, accuracy, learning rate, sparsity, "
                 "seconds, and how many of them it waited for data");
  app.add_flag(
      "--checkpoint", options.checkpoint,
      "Keep each epoch, and the step at which Ctrl-C comes, in the folder OUT.checkpoint; the "
      "same command then goes on from it (with other --threads, --precision or processor it says "
      "that the bits become others), and removes it when the file is written");
  app.add_option(
      "--resume", options.resume,
      "Go on with the checkpoints in this folder, as Ctrl-C left them in OUT.stopped (or "
      "OUT.checkpoint): add it to the same command; from then on as --checkpoint");
  app.add_option("--threads", options.threads,
                 "That a kernel may use; the same number gives the same bits")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option(
         "--parts", options.parts,
         "Of each batch, that go forward and backward at once, on a thread each, before their "
         "gradients are added up. --threads 2 --parts 2 helps small networks, whose kernels share "
         "no "
         "threads (a step of tutorial-small takes two thirds of the time, of lenet300 nine "
         "tenths); "
         "with one thread, or where other programs use the cores, 1 is as good or better. In these "
         "stages the bits depend on the parts, not on the threads. Not with batch norm; stages of "
         "quantize, rate, cluster and distill take whole batches")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--precision", options.precision,
                 "float32; or bf16, where the processor has it: convolutions and matrix products "
                 "multiply numbers of 8 bits of mantissa where that is faster, and add in float32")
      ->check(one_of("precision", {"float32", "bf16"}))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of all that is random")
      ->check(CLI::Range(0.0, 1e18))
      ->capture_default_str();
  app.add_flag("--print-recipe", print_recipe,
               "Print the recipe in full, with every default, and do nothing else");
  app.add_flag("--print-schema", print_schema, "Print the JSON Schema of recipes, likewise");
  app.add_flag("--print-model-schema", print_model_schema,
               "Print the JSON Schema of model.json, likewise");
  auto* print_model =
      app.add_option("--print-model", model_to_print,
                     "Print the model.json of a network of those below, and do nothing else");
  app.add_option("--input", input,
                 "Height, width and channels of the examples that it takes (default: 28,28,1)")
      ->delimiter(',')
      ->expected(3)
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20))
      ->needs(print_model);
  app.add_option("--outputs", outputs, "And how many classes it tells apart, or 1 for a number")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 16))
      ->needs(print_model)
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print one line of JSON, and nothing else");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "A recipe is a list of stages. Four fifths of the weights go, then all becomes integers:\n"
      "  [{\"prune\": {\"sparsity\": 0.8}, \"epochs\": 4}, {\"quantize\": {\"weight_bits\": 8}}]\n"
      "Networks:" +
      network_list() +
      "\nThe table goes to standard output, all else to standard error. The file appears whole, at "
      "the end.\n"
      "Exit codes: 0 ok, 2 usage, 3 a bad recipe or model, 4 I/O, 6 training diverged, 130 "
      "Ctrl-C\n(the state is kept, and the message says how to go on; a second one ends at once).\n"
      "Examples: espalier train --data iris.csv --out iris.esp\n"
      "          espalier train --recipe recipe.json --data mnist\n"
      "          espalier train --model mine.json --recipe recipe.json --epochs 10 --out mine.esp\n"
      "          espalier train --recipe recipe.json --data pictures --size 28x28 --grey\n"
      "          espalier train --model mine.json --from net.safetensors --weights "
      "float.safetensors\n"
      "          espalier train --recipe recipe.json --epochs 100 --early-stop 8 --log log.jsonl\n"
      "          espalier train --recipe recipe.json --print-recipe\n"
      "          espalier train --print-model resnet8 --input 32,32,3 --outputs 5");
  return run_program(app, argc, argv, [&] {
    use_threads(options.threads, argv);
    if (print_schema) {
      std::cout << recipe::recipe_schema();
      return;
    }
    if (print_model_schema) {
      std::cout << model_json_schema();
      return;
    }
    if (!model_to_print.empty()) {
      std::cout << network_json(model_to_print, {Shape(input), outputs});
      return;
    }
    std::optional<recipe::Recipe> recipe;
    if (!options.recipe.empty()) {
      recipe = recipe::load_recipe(options.recipe);
    } else if (!options.from.empty()) {
      recipe = recipe::Recipe{.stages = {{.epochs = options.epochs.value_or(0)}}};
      options.epochs = 0;  // the stage has them
    }
    if (print_recipe) {
      std::cout << recipe::format_recipe(recipe ? *recipe
                                                : starting(to_show(options), options.epochs));
      return;
    }
    train(options, std::move(recipe));
  });
}
