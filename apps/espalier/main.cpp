// espalier: run what was trained.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "apps/common/suggest.hpp"
#include "apps/espalier/commands.hpp"
#include "core/base/error.hpp"
#include "core/base/output.hpp"

int main(int argc, char** argv) {
  using namespace espalier;
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
      "'espalier COMMAND --help' says more.\n"
      "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O.");
  apps::add_run(app);
  apps::add_inspect(app);
  apps::EvalOptions eval;
  auto* command = app.add_subcommand(
      "eval", "Accuracy of a model on MNIST's test images, or on synthetic digits");
  command->add_option("model", eval.model, "An .esp file")->required();
  command->add_option("--data", eval.data,
                      "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                      "~/.cache/espalier/mnist, then one download, then the built-in synthetic "
                      "digits)");
  command->add_flag("--synthetic", eval.synthetic, "Use the built-in synthetic digits");
  const std::map<std::string, runtime::Executor> executors = {
      {"onednn", runtime::Executor::kOneDnn}, {"reference", runtime::Executor::kReference}};
  command->add_option("--executor", eval.executor, "onednn (default), or reference: the plain way")
      ->transform(CLI::Transformer(executors));
  command->add_flag("--json", eval.json, "Print one line of JSON");
  command->callback([&] { apps::eval(eval); });
  apps::add_fetch(app);
  try {
    app.parse(argc, argv);
    flush_output();
    return 0;
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::string typo = apps::misspelt(app, argc, argv);
    std::cerr << "espalier: " << (typo.empty() ? error.what() : typo)
              << " ('espalier --help' lists commands and options)\n";
    return static_cast<int>(ErrorKind::kUsage);
  } catch (const Error& error) {
    std::cerr << "espalier: " << error.what() << '\n';
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << "espalier: internal error: " << error.what() << '\n';
    return 1;
  }
}
