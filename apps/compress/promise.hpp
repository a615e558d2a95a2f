// `espalier compress --recipe`: a recipe, kept to a promise of accuracy. The file is measured as it will
// run; where it loses too much, the layer that costs most gets some of its weights or bits back, one
// layer at a time, until the promise holds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/common/data_options.hpp"
#include "apps/smallest/given_model.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "compress/recipe/relax.hpp"

namespace espalier::apps {

struct PromiseOptions {
  std::string model = "lenet5";  // a name or a model.json
  std::filesystem::path recipe;
  std::filesystem::path weights;  // a network already trained, in float; empty: it is trained first
  double max_drop = 0.5;          // percentage points of validation accuracy
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
  // float.safetensors into --out. Errors: as run_recipe().
  void run();
  // A table, or one line of JSON: on standard output.
  void report() const;
  // Errors: kTargetMissed, naming the layer that costs most.
  void require_kept() const;

 private:
  struct Try {
    std::string change;  // against the try before
    recipe::Recipe recipe;
    Bytes file;
    double accuracy = 0;  // of the validation images, 0..1
    std::vector<recipe::LayerCost> costs = {};
  };
  void train_baseline();
  Try attempt(const recipe::Recipe& recipe, std::string change);
  void find_costs(Try& failed);
  std::optional<recipe::Relaxed> next(const Try& failed);
  bool holds(const Try& one) const { return one.accuracy >= whole_ - options_.max_drop / 100; }
  const Try& best() const;
  void keep_best() const;
  double accuracy(const format::PackedModel& model) const;
  void say(const std::string& line) const;

  PromiseOptions options_;
  TrainingData data_;
  Images images_;
  recipe::Recipe before_, passes_;  // plain training; what compresses
  Sequential baseline_;
  std::vector<std::string> labels_;
  double whole_ = 0;          // accuracy of the baseline
  bool out_of_time_ = false;  // though something could still be given back
  std::vector<Try> tries_;
};

}  // namespace espalier::apps
