// One search for a small file, in one folder: its trials, and the file that is best so far.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/data_options.hpp"
#include "apps/smallest/networks.hpp"
#include "apps/smallest/search.hpp"
#include "apps/smallest/train_smallest.hpp"

namespace espalier::apps {

struct CompressOptions {
  std::string model;  // a name of network_kinds(), or a model.json
  DataOptions data;
  std::optional<std::int64_t> target_bytes;
  std::optional<double> max_drop;  // percentage points; of numbers percent more RMSE
  double minutes = 30;
  std::filesystem::path out = "espalier-smallest";
  std::vector<std::int64_t> widths;
  std::uint64_t seed = 1;
  bool json = false, quiet = false;
};

class Compression {
 public:
  // Takes up the trials that --out holds. Errors: kUsage when they belong to another search, and as
  // given_model() for a network that does not fit the data;
  // kCorrupt when trials.json is none of ours.
  Compression(CompressOptions options, TrainingData data);

  // Trials until the time is up. Each is kept as it ends. Errors: as training::fit.
  void run();
  // The best file on the test images, and the front: a table, or one line of JSON. Nothing without
  // trials.
  void report() const;
  // Errors: kTargetMissed unless a trial meets the goal.
  void require_goal() const;

 private:
  struct Kept {
    Trial trial;
    std::string file;  // in --out
  };

  void set_goal_and_teacher();
  bool of_numbers() const { return data_.target.has_value(); }
  // As people know it: "1.20 %", of numbers the RMSE in the table's unit. error: validation_error().
  std::string shown_error(double error) const;
  double rmse_of(double error) const;
  // Errors: kTargetMissed, calling the network `what`, where it is no better than one answer to all.
  void require_learned(Sequential& network, const std::string& what) const;
  Recipe recipe_for(const Plan& plan) const;
  Kept try_plan(const Plan& plan) const;
  void add(Kept kept);
  void keep_best() const;
  const Kept& best_one() const;
  std::vector<Trial> trials() const;

  std::string front_table() const;
  nlohmann::json to_json(const Kept& kept) const;
  nlohmann::json to_json() const;
  // What trials of one folder have in common.
  nlohmann::json settings() const;
  void read_trials();
  std::filesystem::path trials_file() const { return options_.out / "trials.json"; }
  void say(const std::string& line) const;

  CompressOptions options_;
  TrainingData data_;
  NetworkKind kind_;
  std::vector<std::vector<std::int64_t>> widths_;
  Images images_;
  int rounds_ =
      1;  // through the data, in what a plan calls an epoch: small data has few steps in one
  Goal goal_;
  std::optional<Sequential> teacher_;
  mutable std::optional<training::Distillation> distillation_;  // remembers answers
  std::vector<Kept> kept_;
};

}  // namespace espalier::apps
