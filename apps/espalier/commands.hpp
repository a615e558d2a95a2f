// The commands of `espalier`, one file each: add_NAME describes the command's options, with the
// function that runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "compress/runtime/session.hpp"

namespace espalier::apps {

struct EvalOptions {
  std::filesystem::path model;
  std::optional<std::filesystem::path> data;  // a folder with MNIST
  bool synthetic = false;                     // the built-in digits, whatever else is there
  runtime::Executor executor = runtime::Executor::kOneDnn;
  bool json = false;
};
// Accuracy, and in how many logits the oneDNN executor differs from the reference executor: of
// integer models in any bit, of float models by more than 1e-4 of the image's largest logit (the
// executors add in different orders).
void eval(const EvalOptions& options);

void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_fetch(CLI::App& app);

}  // namespace espalier::apps
