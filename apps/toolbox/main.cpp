// espalier-toolbox, which `espalier toolbox` calls: every technique of TensorFlow Model
// Optimization on its MNIST tutorial's network, as one table.
#include <iostream>

#include "apps/common/model_input.hpp"
#include "apps/common/program.hpp"
#include "apps/toolbox/experiment_table.hpp"
#include "apps/toolbox/network_tables.hpp"
#include "core/base/interrupt.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::apps {
namespace {

void run_toolbox(ToolboxOptions options) {
  install_interrupt_handler();
  set_threads(1);
  if (options.tables)
    chosen_networks(options.only);  // checks, before anything is read
  else
    chosen(options.only);
  if (options.json) options.quiet = true;
  options.data.quiet = options.quiet;
  const TrainingData data = load_training_data(options.data);
  require_classes(data, "toolbox");
  require(data.data.train->image_shape() == Shape{28, 28, 1}, "--data",
          "the toolbox's networks take images of ", Shape{28, 28, 1}, ", the data's are ",
          data.data.train->image_shape());
  require(!options.seeds.empty(), "--seeds", "wants at least one");
  if (options.tables) {
    NetworkTables tables(options, data);
    tables.run();
    tables.print();
    return;
  }
  ExperimentTable experiments(options, data);
  experiments.run();
  experiments.print();
  std::cout.flush();  // the table comes before the verdict
  experiments.require_targets();
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app("Every technique of TensorFlow Model Optimization on its MNIST tutorial's network.");
  app.name("espalier toolbox");
  ToolboxOptions options;
  auto* data = app.add_option("--data", options.data.path,
                              "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, "
                              "then ~/.cache/espalier/mnist, then one download, then the built-in "
                              "synthetic digits)");
  app.add_flag("--synthetic", options.data.synthetic, "Use the built-in synthetic digits")
      ->excludes(data);
  app.add_option("--seeds", options.seeds, "Whose medians the table shows")->delimiter(',');
  app.add_option("--images", options.data.images,
                 "Only the first of the training images, for a quick look (default: all)")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1} << 30));
  auto* tables = app.add_flag("--tables", options.tables,
                              "Two other tables: four networks by technique, and by sparsity");
  app.add_option("--only", options.only,
                 "Only the experiments, or with --tables the networks, whose names hold this (may "
                 "be repeated)");
  app.add_option("--out", options.out, "Folder to keep the .esp files in (default: none is kept)")
      ->excludes(tables);
  app.add_flag("--json", options.json, "Print one line of JSON, and nothing else");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "The network (a convolution, a pool, a dense layer: 20,410 parameters) is trained once a "
      "seed;\n"
      "each experiment starts from it but 1 + 1 epochs, which trains its own. Some minutes a seed "
      "on "
      "MNIST;\n"
      "--tables, with its large network, twelve. Medians of an even number of seeds: the lower of "
      "the two.\n"
      "Exit codes: 0 ok, 2 usage, 3 corrupt data, 4 I/O, 5 a row says NO, 130 Ctrl-C.\n"
      "Examples: espalier toolbox --data mnist --seeds 1,2,3\n"
      "          espalier toolbox --seeds 1 --only 'dynamic range' --only float16\n"
      "          espalier toolbox --tables --seeds 1 --only LeNet");
  return run_program(app, argc, argv, [&] { run_toolbox(options); });
}
