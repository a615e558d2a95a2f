// espalier-compress, which `espalier compress` calls: the smallest file of a network, searched for
// within a time.
#include <cmath>
#include <optional>

#include "apps/common/model_input.hpp"
#include "apps/common/program.hpp"
#include "apps/common/table_metadata.hpp"
#include "apps/common/words.hpp"
#include "apps/compress/compression.hpp"
#include "apps/compress/promise.hpp"
#include "core/archive/archive.hpp"
#include "core/base/folder_lock.hpp"
#include "core/base/interrupt.hpp"
#include "core/onednn/threads.hpp"
#include "layers/network_file.hpp"

namespace espalier::apps {
namespace {

constexpr const char* kInUse = "wait until it has ended, or give another --out";

// The network where nobody names one.
std::string default_model(const TrainingData& data) {
  return data.columns.empty() ? "lenet5" : "tabular";
}

void compress(CompressOptions options) {
  require(options.target_bytes.has_value() != options.max_drop.has_value(), "compress",
          "wants one of --target-bytes and --max-drop");
  require(std::isfinite(options.minutes) && std::isfinite(options.max_drop.value_or(0)), "compress",
          "wants numbers for --minutes and --max-drop, got nan");
  if (!options.model.empty() && !options.model.ends_with(".json"))
    network_kind(options.model);  // or refuses, before any data
  install_interrupt_handler();
  set_threads(1);
  if (options.json) options.quiet = true;
  options.data.quiet = options.quiet;
  const FolderLock lock(options.out, kInUse);
  TrainingData data = load_training_data(options.data);
  if (options.model.empty()) options.model = default_model(data);
  Compression compression(options, std::move(data));
  try {
    compression.run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    clear_interrupt();
    compression.report();
    fail(ErrorKind::kInterrupted, "compress",
         "stopped by Ctrl-C; what was found is kept, and the same command goes on");
  }
  compression.report();
  compression.require_goal();
}

// A network that is trained already has its table's names and scalings with it.
TrainingData data_for(const PromiseOptions& options, const DataOptions& data) {
  if (options.weights.empty()) return load_training_data(data);
  const ModelJson network = load_network(options.weights);
  const std::string file = options.weights.string();
  require(network.input.rank() == 3, file, "takes inputs of ", network.input,
          ", which are no images [H W C]");
  ModelInput input{file, {network.input[0], network.input[1], network.input[2]}, network.labels};
  add_table(input, load_archive(options.weights).metadata);
  return load_data_for(input, data);
}

// By a recipe.
void keep_promise(PromiseOptions options, DataOptions data) {
  require(std::isfinite(options.minutes) && std::isfinite(options.max_drop), "compress",
          "wants numbers for --minutes and --max-drop, got nan");
  install_interrupt_handler();
  set_threads(1);
  if (options.json) options.quiet = true;
  data.quiet = options.quiet;
  const FolderLock lock(options.out, kInUse);
  TrainingData loaded = data_for(options, data);
  if (options.model.empty()) options.model = default_model(loaded);
  Promise promise(options, std::move(loaded));
  try {
    promise.run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    clear_interrupt();
    promise.report();
    fail(ErrorKind::kInterrupted, "compress",
         "stopped by Ctrl-C; the same command goes on from the step where it stopped");
  }
  promise.report();
  promise.warn_of_nothing();
  promise.require_kept();
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app(
      "Trains the smallest file of a network that is good enough, from nothing; or, with --recipe, "
      "makes a file as the recipe says and asks less of single layers until it is good enough.");
  app.name("espalier compress");
  CompressOptions options;
  std::filesystem::path recipe, weights;
  auto* by_name = app.add_option(
      "--model", options.model,
      "The network: a name of those below, or a model.json (default: lenet5, of a CSV file "
      "tabular)");
  auto* by_recipe =
      app.add_option("--recipe", recipe, "The stages: a JSON file, as for train; wants --max-drop");
  app.add_option("--weights", weights,
                 "A network that is trained in float (espalier train --weights), to begin with, "
                 "in the place of --model")
      ->needs(by_recipe)
      ->excludes(by_name);
  auto* bytes = app.add_option("--target-bytes", options.target_bytes,
                               "At most this many bytes, with the least error")
                    ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  app.add_option("--max-drop", options.max_drop,
                 "At most this many percentage points less than the whole network in float, with "
                 "the fewest bytes; of predicted numbers this many percent more RMSE")
      ->check(CLI::Range(0.0, 100.0))
      ->excludes(bytes);
  add_data_options(app, options.data);
  app.add_option("--minutes", options.minutes,
                 "Time for this run; a trial or a try that has begun is finished")
      ->check(CLI::Range(0.05, 10'000.0))
      ->capture_default_str();
  app.add_option("--out", options.out, "Folder for trials, best.esp and trials.json")
      ->capture_default_str();
  app.add_option("--widths", options.widths,
                 "Of a built-in network's hidden layers at the start, in place of those that are "
                 "searched")
      ->delimiter(',')
      ->excludes(by_recipe);
  app.add_option("--images", options.data.images,
                 "Only the first of the training images, for a quick look (default: all)")
      ->check(CLI::Range(std::int64_t{60}, std::int64_t{1} << 30));
  app.add_option("--seed", options.seed, "Of all that is random")
      ->check(CLI::Range(0.0, 1e18))
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print one line of JSON, and nothing else");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "Trains with a price on bits (lambda), first shortly at some prices, then as long as the "
      "time\n"
      "allows at the price that should meet the goal. Which weights become zeros, how many bits "
      "the\n"
      "others take and which units stay is what the price decides, weight by weight; searched are "
      "the\n"
      "price, the epochs and, of a built-in network, two sets of widths to begin with. A "
      "model.json is\n"
      "trained as it is: layers, kernels and learning rate are not searched. Settings are chosen "
      "on\n"
      "the last training images; the test images are looked at at the end of a run. A table of "
      "the\n"
      "files that no other beats in both bytes and error grows as it goes. Ctrl-C keeps all "
      "finished\n"
      "trials, and the same command goes on from them.\n"
      "With --recipe the float network is trained, then compressed, and the file's accuracy is "
      "measured\n"
      "on the last training images, as it will run. Where it loses more than --max-drop, the layer "
      "that\n"
      "costs most gets twice as many weights, or 2 bits more, and the recipe runs again. After "
      "Ctrl-C, "
      "a kill or\nthe end of the time the same command goes on from the step where it stopped, "
      "kept in "
      "OUT/progress.\n"
      "Built-in networks, all of whose widths may shrink on the way:" +
      network_list() +
      "\nExit code 5: the goal was not met in the time.\n"
      "Examples: espalier compress --model lenet5 --target-bytes 1000 --data mnist\n"
      "          espalier compress --model lenet300 --max-drop 0.3 --minutes 60 --out small\n"
      "          espalier compress --recipe recipe.json --model resnet8 --data flowers --size "
      "32x32 "
      "--max-drop 0.5\n"
      "          espalier compress --model mine.json --max-drop 1 --data flowers --size 32x32 "
      "--out mine\n"
      "          espalier compress --target-bytes 2000 --data flowers --size 32x32 --out "
      "flowers-esp");
  return run_program(app, argc, argv, [&] {
    if (recipe.empty()) return compress(options);
    require(options.max_drop.has_value(), "compress", "--recipe wants --max-drop POINTS");
    keep_promise({.model = options.model,
                  .recipe = recipe,
                  .weights = weights,
                  .max_drop = *options.max_drop,
                  .minutes = options.minutes,
                  .out = options.out,
                  .seed = options.seed,
                  .json = options.json,
                  .quiet = options.quiet},
                 options.data);
  });
}
