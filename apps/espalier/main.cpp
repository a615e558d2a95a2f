// espalier: run what was trained. Commands that train, or build networks from weights, are programs
// beside this one, which holds no training code; it becomes them.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/common/program.hpp"
#include "apps/espalier/commands.hpp"
#include "compress/format/checksum.hpp"
#include "core/base/process.hpp"

namespace {

// Each the program espalier-NAME.
constexpr std::pair<std::string_view, const char*> kPrograms[] = {
    {"train", "Train and compress a network as a recipe says"},
    {"compress", "Train the smallest file of a network that is good enough, from nothing"},
    {"toolbox", "Every technique of TensorFlow Model Optimization, as one table"},
    {"sensitivity", "How far each layer of a trained network can be pruned"},
    {"verify", "What compression changed: a model beside the one that it was made from"},
    {"bench", "Time training, inference, loading and coding on this machine"},
};

// Returns only with an error.
void become(std::string_view name, int argc, char** argv) {
  const std::string program = "espalier-" + std::string(name);
  std::vector<std::string> command = {(espalier::own_program().parent_path() / program).string()};
  command.insert(command.end(), argv + 2, argv + argc);
  espalier::become_process(command, "build it: cmake --build build --target " + program);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs .esp models: small networks, trained, pruned and quantized by Espalier.");
  app.name("espalier");
  app.require_subcommand(1);
  app.set_version_flag("--version", "espalier " ESPALIER_VERSION ", reads .esp versions " +
                                        std::to_string(espalier::format::kOldestVersion) + " to " +
                                        std::to_string(espalier::format::kNewestVersion));
  app.footer(
      "A first tour, after espalier-tutorial has written its models to espalier-out/:\n"
      "  espalier inspect espalier-out/quantized.esp           what the file holds\n"
      "  espalier inspect espalier-out/quantized.esp --trace   one neuron's arithmetic\n"
      "  espalier run espalier-out/quantized.esp digit.png     what is on the picture?\n"
      "  espalier eval espalier-out/quantized.esp              right on how many test images?\n"
      "  espalier compare espalier-out/baseline.esp espalier-out/quantized.esp   side by side\n"
      "  espalier export c99 espalier-out/quantized.esp -o digits.c  for a microcontroller\n"
      "  espalier fetch mnist                                  the real data, once\n"
      "  espalier data info FOLDER                             your own pictures, before training\n"
      "  espalier new FOLDER                                   a project: model, recipe, README\n"
      "  espalier train --recipe recipe.json                   prune, cluster, quantize: your "
      "stages\n"
      "  espalier sensitivity float.safetensors                how far can each layer be pruned?\n"
      "  espalier verify model.esp --against float.safetensors  what did compression change?\n"
      "  espalier compress --target-bytes 1000                 a LeNet-5 in a thousand bytes\n"
      "'espalier COMMAND --help' says more.\n"
      "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 5 goal missed, 6 training "
      "diverged,\n"
      "130 interrupted.");
  using namespace espalier::apps;
  add_run(app);
  add_inspect(app);
  add_eval(app);
  add_compare(app);
  add_export(app);
  add_fetch(app);
  add_data(app);
  add_new(app);
  add_version(app);
  for (const auto& [name, description] : kPrograms) {
    app.add_subcommand(std::string(name), description);
    if (argc < 2 || argv[1] != name) continue;
    CLI::App none;
    none.name("espalier");
    return run_program(none, 1, argv, [&, wanted = name] { become(wanted, argc, argv); });
  }
  return run_program(app, argc, argv);
}
