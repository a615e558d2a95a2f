// The commands of `espalier`, one file each: add_NAME describes the command's options, with the
// function that runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

namespace espalier::apps {

struct EvalOptions {
  std::filesystem::path model;
  std::optional<std::filesystem::path> data;  // a folder with MNIST
  bool synthetic = false;                     // the built-in digits, whatever else is there
  bool json = false;
};
void eval(const EvalOptions& options);

void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_fetch(CLI::App& app);

}  // namespace espalier::apps
