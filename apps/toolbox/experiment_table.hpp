// The experiments by name, seed by seed, as a table or JSON.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/data_options.hpp"
#include "apps/toolbox/experiments.hpp"
#include "apps/toolbox/measure.hpp"

namespace espalier::apps {

struct ToolboxOptions {
  DataOptions data;
  bool json = false, quiet = false, tables = false;
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::optional<std::filesystem::path> out;
  std::vector<std::string>
      only;  // experiments or networks whose names hold one of these; none: all
};

// Errors: kUsage, with the names there are, for a part that no experiment's name holds.
std::vector<Experiment> chosen(const std::vector<std::string>& only);

class ExperimentTable {
 public:
  ExperimentTable(ToolboxOptions options, TrainingData data);
  void run();          // progress on standard error; --out's files
  void print() const;  // on standard output
  // Errors: kTargetMissed, naming the experiments whose row says NO.
  void require_targets() const;

 private:
  void run_seed(std::uint64_t seed);
  void print_json(const Measured& baseline) const;

  ToolboxOptions options_;
  TrainingData data_;
  std::vector<Experiment> experiments_;
  std::vector<Measured> baseline_;
  std::vector<std::vector<Measured>> rows_;  // of each experiment, by seed
};

}  // namespace espalier::apps
