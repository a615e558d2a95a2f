// A line of JSON for each epoch of a run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace espalier::apps {

class MetricsLog {
 public:
  // goes_on: keeps the lines that the file holds; else it begins anew. Errors: kIo.
  MetricsLog(std::filesystem::path file, bool goes_on);

  // {"stage", "epoch", ...}: in place of lines of this epoch and later ones, which a run that went on
  // from a checkpoint trains again. The file is written whole, atomically: no line is ever half.
  // Errors: kIo.
  void add(const nlohmann::json& line);

 private:
  std::filesystem::path file_;
  std::vector<nlohmann::json> lines_;
};

}  // namespace espalier::apps
