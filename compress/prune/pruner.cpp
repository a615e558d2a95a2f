#include "compress/prune/pruner.hpp"

#include "compress/prune/schedule_warning.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "compress/prune/mask.hpp"
#include "compress/prune/mask_steps.hpp"
#include "core/base/text.hpp"

namespace espalier::prune {
namespace {

Blocks::Pool pool_of(const Structure& structure) {
  const auto* blocks = std::get_if<Blocks>(&structure);
  return blocks ? blocks->pool : Blocks::Pool::kMean;
}

// Groups of which a mask leaves nothing.
std::int64_t removed(const Tensor& mask, const Grouping& grouping) {
  std::vector<char> stays(grouping.count);
  for (std::size_t i = 0; i < mask.values().size(); ++i)
    if (mask.values()[i] != 0) stays[grouping.group[i]] = 1;
  return std::ranges::count(stays, 0);
}

}  // namespace

Pruner::Pruner(Options options) : options_(std::move(options)) {
  require(options_.schedule != nullptr && options_.warn != nullptr, "Pruner",
          "wants a schedule, and a function that hears warnings");
  require(options_.frequency_steps >= 1, "Pruner", "wants a frequency of at least one step, got ",
          options_.frequency_steps);
  check(options_.structure);
}

void Pruner::attach(Layer& model) {
  const Rng rng(options_.seed, "prune");
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!options_.select(name, p)) return;
    const Shape& shape = p.latent().shape();
    targets_.push_back({name, &p, Tensor::full(shape, 1)});
    groupings_.push_back(groups_of(shape, options_.structure));
    Rng own = rng.stream(name);
    random_.push_back(options_.criterion == Criterion::kRandom ? random_scores(shape, own)
                                                               : Tensor());
    p.add_transform("prune", masked_by(targets_.back().mask, options_.gradient));
  }});
  require(!targets_.empty(), "Pruner", "no parameter of the model was selected");
}

void Pruner::step(const training::StepInfo& info) {
  if (info.step == 0) {
    const bool is_count = std::holds_alternative<NofM>(options_.structure);
    const auto warning =
        schedule_warning(options_.schedule, options_.frequency_steps, info.total_steps);
    if (!warning.empty() && !is_count) options_.warn("prune: " + warning);
  }
  reached_ = options_.schedule(info.progress()), wanted_ = options_.schedule(1);
  if (info.last()) final_ = options_.schedule(info.progress());
  if (chooses_at(info)) choose(options_.schedule(info.progress()), options_.schedule(1));
}

void Pruner::choose(float sparsity, float final) {
  require(0 <= sparsity && sparsity < 1 && 0 <= final && final < 1, "Pruner",
          "the schedule wants a sparsity of ", sparsity, ", and ", final,
          " at its end; both must lie in [0, 1)");
  std::vector<Tensor> scores;
  for (std::size_t i = 0; i < targets_.size(); ++i)
    scores.push_back(
        scores_of(targets_[i].parameter->latent().value(), options_.criterion, random_[i]));
  if (const auto* few = std::get_if<NofM>(&options_.structure)) {
    if (sparsity == 0) return;
    for (std::size_t i = 0; i < targets_.size(); ++i)
      targets_[i].mask.copy_from(mask_of_best(few->keep, scores[i], groupings_[i]));
    return;
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < targets_.size(); ++i)
    candidates.push_back({targets_[i].name, targets_[i].mask.shape(),
                          pooled(scores[i], groupings_[i], pool_of(options_.structure))});
  const auto counts =
      removed_groups(options_.allocation, candidates, double{sparsity}, double{final});
  for (std::size_t i = 0; i < targets_.size(); ++i)
    targets_[i].mask.copy_from(
        mask_without(counts[i], candidates[i].scores, groupings_[i], targets_[i].mask.shape()));
}

bool Pruner::chooses_at(const training::StepInfo& info) const {
  return mask_is_due(options_.schedule, options_.frequency_steps, info);
}

void Pruner::after_step(const training::StepInfo& info, optim::Optimizer& optimizer) {
  if (!options_.clear_moments || !chooses_at(info)) return;
  for (const auto& target : targets_)
    optimizer.clear_state(target.parameter->latent(), target.mask);
}

bool Pruner::visit_state(const training::StateVisitor& visitor) {
  for (auto& target : targets_) visitor(target.name + ".mask", target.mask);
  return true;
}

// Scores do not change how many groups go, only which; a global allocation fixes their sum.
void Pruner::check_end() const {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < targets_.size(); ++i)
    candidates.push_back(
        {targets_[i].name, targets_[i].mask.shape(), std::vector<float>(groupings_[i].count)});
  auto wanted = removed_groups(options_.allocation, candidates, double{*final_},
                               double{options_.schedule(1)});
  std::vector<std::int64_t> got;
  for (std::size_t i = 0; i < targets_.size(); ++i)
    got.push_back(removed(targets_[i].mask, groupings_[i]));
  if (std::holds_alternative<Global>(options_.allocation)) {
    wanted = {std::reduce(wanted.begin(), wanted.end())};
    got = {std::reduce(got.begin(), got.end())};
  }
  for (std::size_t i = 0; i < got.size(); ++i)
    require(got[i] == wanted[i], ErrorKind::kInternal, targets_[i].name, "should end without ",
            wanted[i], " groups, lacks ", got[i]);
}

// Each group keeps so many, the one at the end at most.
void Pruner::check_groups(const NofM& few) const {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    std::vector<std::int64_t> kept(groupings_[i].count), size(groupings_[i].count);
    for (std::size_t w = 0; w < groupings_[i].group.size(); ++w) {
      ++size[groupings_[i].group[w]];
      kept[groupings_[i].group[w]] += targets_[i].mask.values()[w] != 0;
    }
    for (std::size_t g = 0; g < kept.size(); ++g)
      require(kept[g] == std::min(few.keep, size[g]), ErrorKind::kInternal, targets_[i].name,
              "should keep ", std::min(few.keep, size[g]), " of group ", g, ", keeps ", kept[g]);
  }
}

void Pruner::bake() {
  const auto* few = std::get_if<NofM>(&options_.structure);
  if (final_ && !few) check_end();
  if (final_ && few && *final_ > 0) check_groups(*few);
  if (!final_ && reached_ < wanted_)
    options_.warn("prune: the run was stopped where the schedule wants " +
                  percent(double{reached_}, 1) + ", before its end of " +
                  percent(double{wanted_}, 1));
  for (const auto& target : targets_) bake_mask(target, "prune");
  targets_.clear();
}

void prune_now(Layer& model, const PrunerOptions& options) {
  Pruner pruner(options);
  pruner.attach(model);
  pruner.step({.step = 0, .total_steps = 1});
  pruner.bake();
}

double model_sparsity(Layer& model, const Selection& select) {
  double zeros = 0, all = 0;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!select(name, p)) return;
    const NoGradient guard;
    const Tensor value = p.effective().value();
    zeros += sparsity_of(value) * static_cast<double>(value.elements());
    all += static_cast<double>(value.elements());
  }});
  return all > 0 ? zeros / all : 0;
}

}  // namespace espalier::prune
