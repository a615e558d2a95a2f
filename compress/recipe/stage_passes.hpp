// The passes of one stage, as C++ would write them.
#pragma once

#include <memory>
#include <vector>

#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "compress/rate/rate_penalty.hpp"
#include "compress/recipe/recipe.hpp"
#include "datasets/augmentation.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {

prune::Selection selection(const Select& select);
prune::SparsitySchedule schedule(const Target& target);
optim::Schedule schedule(const Stage& stage);  // of the learning rate
std::function<std::unique_ptr<optim::Optimizer>(std::vector<Variable>)> optimizer_of(
    const Stage& stage);
// Null: cross-entropy as it is, or mean squared error for numbers. Errors: kUsage for options of
// classes with these. Reads the data where classes are to be balanced, and a teacher's file.
training::Loss loss_of(const Stage& stage, const datasets::Dataset& data);

prune::PrunerOptions options_of(const Prune& prune);
// For Sharing::kSensitivity: fills in the sparsities, for the model as it is.
void share_by_sensitivity(Prune& prune, Sequential& model, const datasets::Dataset& data,
                          bool quiet);
prune::UnitPruner::Options options_of(const Units& units);
cluster::WeightClustering::Options options_of(const Cluster& cluster);
quantize::QuantizationAware::Options options_of(const Quantize& quantize);
// The stage's rate pass, with its learning rate and schedule.
rate::RatePenalty::Options rate_options_of(const Stage& stage);

// What stage.augment asks for; empty without it.
std::vector<datasets::Change> changes_of(const Stage& stage);
// Errors: "recipe.json: /0/augment: ..." where it moves pixels and the examples [1 1 C] are rows of a table;
// kCorrupt, of a stage that C++ made kUsage.
void check_changes(const Stage& stage, const Shape& example);

// Errors: for a name of a layer or parameter that the model has not (or that is of another kind, where only
// convolutions and dense layers have what is asked), "recipe.json: /0/prune/layers: ..." with the nearest
// name; kCorrupt, of a stage that C++ made kUsage.
void check_names(const Stage& stage, Sequential& model);

// What the prune stages before this one work on, whose zeros stay. Null without such a stage.
prune::Selection kept_zeros(const Recipe& recipe, std::size_t index);

class StagePasses {
 public:
  // zeros: which parameters' zeros stay; null: none's. warn hears what pruners have to say. Errors:
  // kUsage, as the passes' own.
  StagePasses(const Stage& stage, const prune::Selection& zeros,
              const Warn& warn = warn_on_standard_error);

  // For training::fit, in the order in which they attach.
  std::vector<training::Pass*> riding() const;
  // Bakes the last attached first, then takes out units that are zero.
  void bake(Sequential& model, const Shape& input);
  // Of quantize: null without it.
  quantize::QuantizationAware* quantize() const { return quantize_; }
  // After bake(), of quantize or rate: the integers. Null without them.
  const quantize::IntegerNetwork* network() const;

 private:
  template <class P, class... Arguments>
  P* add(Arguments&&... arguments);

  std::vector<std::unique_ptr<training::Pass>> passes_;
  bool units_ = false;
  quantize::QuantizationAware* quantize_ = nullptr;
  rate::RatePenalty* rate_ = nullptr;
};

}  // namespace espalier::recipe
