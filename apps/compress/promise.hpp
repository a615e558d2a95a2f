// `espalier compress --recipe`: a recipe, kept to a promise of accuracy. The file is measured as it will
// run; where it loses too much, the layer that costs most gets some of its weights or bits back, one
// layer at a time, until the promise holds.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/common/data_options.hpp"
#include "apps/smallest/given_model.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "compress/recipe/relax.hpp"
#include "compress/recipe/run_recipe.hpp"

namespace espalier::apps {

struct PromiseOptions {
  std::string model;  // a name or a model.json
  std::filesystem::path recipe;
  std::filesystem::path weights;  // a network already trained, in float; empty: it is trained first
  double max_drop = 0.5;          // percentage points of validation accuracy; percent of the RMSE
  double minutes = 30;            // no try begins after them
  std::filesystem::path out;      // folder
  std::uint64_t seed = 1;
  bool json = false, quiet = false;
};

class Promise {
 public:
  // Errors: kUsage, kCorrupt, kIo, naming model, recipe or weights.
  Promise(PromiseOptions options, TrainingData data);

  // Tries until one holds, nothing can be given back, or the time is up. Writes best.esp (of the tries
  // that hold the smallest, else the one that loses least), recipe.json (what made it) and
  // float.safetensors into --out. Takes up what a run of the same settings that was stopped, or had no more
  // time, left there; of one that has ended it takes the results, and trains nothing. Errors: as
  // run_recipe().
  void run();
  // A table, or one line of JSON: on standard output.
  void report() const;
  // Says so where nothing of the network is compressed any more.
  void warn_of_nothing() const;
  // Errors: kTargetMissed, naming the layer that costs most.
  void require_kept() const;

 private:
  struct Try {
    std::string change;  // against the try before
    recipe::Recipe recipe;
    Bytes file;              // of a run that had ended before of the best one alone
    std::int64_t bytes = 0;  // of the file
    double score = 0;        // on the validation images, as the file runs: see score()
    std::vector<recipe::LayerCost> costs = {};
  };
  // What a run that was stopped left in --out: each try's file, and checkpoints of what was trained.
  std::filesystem::path progress() const { return options_.out / "progress"; }
  // What one that has ended left beside best.esp.
  std::filesystem::path finished() const { return options_.out / "finished.json"; }
  std::string identity(const recipe::Recipe& all) const;  // which run it is
  void open_progress();
  void take_up_finished();
  void keep_finished() const;
  void announce();  // what to expect until the first file, or, where it goes on, the next
  recipe::RunOptions run_options(std::uint64_t seed, const std::string& what) const;
  void train_baseline();
  Try attempt(const recipe::Recipe& recipe, std::string change);
  void find_costs(Try& failed);
  std::optional<recipe::Relaxed> next(const Try& failed);
  double lost(const Try& one) const { return whole_ - one.score; }
  bool holds(const Try& one) const { return lost(one) <= options_.max_drop / 100; }
  const Try& best() const;
  void keep_best() const;
  nlohmann::json to_json() const;
  // Higher is better. Of classes the share of the validation images that are right, 0..1; of numbers
  // -1 times the RMSE on them, in multiples of the float network's. So a hundredth less is a point,
  // or a percent of the error.
  double score(const format::PackedModel& model) const;
  bool of_numbers() const { return data_.target.has_value(); }
  std::string amount(double share) const;  // "0.50 points", "0.50 % more RMSE"
  std::string quality(const Bytes& file, const datasets::Dataset& images) const;
  void say(const std::string& line) const;

  PromiseOptions options_;
  TrainingData data_;
  Images images_;
  recipe::Recipe before_, passes_;  // plain training; what compresses
  Sequential baseline_;
  std::vector<std::string> labels_;
  double whole_ = 0;       // the baseline's score
  double float_rmse_ = 1;  // of numbers, in the table's unit
  std::string identity_;
  bool done_ = false;         // by a run before
  bool goes_on_ = false;      // from what a run before left
  bool out_of_time_ = false;  // though something could still be given back
  std::vector<Try> tries_;
};

}  // namespace espalier::apps
