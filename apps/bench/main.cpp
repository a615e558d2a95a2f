#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/bench/worker.hpp"
#include "apps/common/program.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  CLI::App app("Times training, inference, loading and coding");
  app.name("espalier-bench");
  app.require_subcommand(1);
  std::string folder;
  auto* models = app.add_subcommand("models", "Write the models and digits that peers run, too");
  models->add_option("FOLDER", folder, "Where to")->required();
  models->callback([&] { bench::write_models(folder); });
  auto* worker = app.add_subcommand("worker", "Take requests for rounds, one line of JSON each");
  worker->callback([] { bench::work(std::cin, std::cout); });
  return apps::run_program(app, argc, argv);
}
