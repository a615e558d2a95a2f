// espalier: run what was trained, and train what is small.
#include "apps/common/program.hpp"
#include "apps/espalier/commands.hpp"

int main(int argc, char** argv) {
  CLI::App app("Runs .esp models: small networks, trained, pruned and quantized by Espalier.");
  app.name("espalier");
  app.require_subcommand(1);
  app.set_version_flag("--version", "espalier " ESPALIER_VERSION ", reads .esp version 1");
  app.footer(
      "A first tour, after espalier-tutorial has written its models to espalier-out/:\n"
      "  espalier inspect espalier-out/quantized.esp           what the file holds\n"
      "  espalier inspect espalier-out/quantized.esp --trace   one neuron's arithmetic\n"
      "  espalier run espalier-out/quantized.esp digit.png     what is on the picture?\n"
      "  espalier eval espalier-out/quantized.esp              right on how many test images?\n"
      "  espalier fetch mnist                                  the real data, once\n"
      "  espalier compress --target-bytes 1000                 a LeNet-5 in a thousand bytes\n"
      "'espalier COMMAND --help' says more.\n"
      "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 5 goal missed, 6 training "
      "diverged,\n"
      "130 interrupted.");
  using namespace espalier::apps;
  add_run(app);
  add_inspect(app);
  add_eval(app);
  add_fetch(app);
  add_compress(app);
  return run_program(app, argc, argv);
}
