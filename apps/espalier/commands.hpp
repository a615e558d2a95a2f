// The commands of `espalier`, one file each.
#pragma once

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

}  // namespace espalier::apps
