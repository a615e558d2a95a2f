#include "compress/prune/unit_pruner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "compress/prune/allocation.hpp"
#include "compress/prune/mask.hpp"
#include "compress/prune/mask_steps.hpp"
#include "compress/prune/schedule_warning.hpp"
#include "compress/prune/score.hpp"
#include "core/base/text.hpp"
#include "layers/batch_norm.hpp"
#include "layers/flatten.hpp"
#include "layers/kind.hpp"

namespace espalier::prune {
namespace {

using Entries = std::vector<const Sequential::Entry*>;

// The layers behind number `i` up to the one that takes its units apart, the next convolution of all
// channels or dense layer, which is the last of them; empty when there is none. A depthwise
// convolution between has a kernel for each unit, which comes and goes with it; it has no units of
// its own.
Entries followers(const Sequential& model, std::size_t i) {
  Entries found;
  if (!is_any<Conv2d, Dense>(*model.layers()[i].layer)) return found;
  const auto* conv = dynamic_cast<const Conv2d*>(model.layers()[i].layer.get());
  const std::int64_t units =
      conv ? conv->options().out
           : dynamic_cast<const Dense&>(*model.layers()[i].layer).options().out;
  for (std::size_t k = i + 1; k < model.layers().size() && model.feeds_next_alone(k - 1); ++k) {
    found.push_back(&model.layers()[k]);
    const auto* norm = dynamic_cast<const BatchNorm*>(found.back()->layer.get());
    if (norm && norm->options().channels != units) return {};  // behind flatten: one a position
    if (is_any<Conv2d, Dense>(*found.back()->layer)) return found;
  }
  return {};
}

// What has a slice for each unit and goes with it.
bool follows(const Sequential::Entry& entry) {
  return is_any<BatchNorm, DepthwiseConv2d>(*entry.layer);
}

// Units are rows of the weights.
Grouping rows_of(const Shape& shape) {
  Grouping rows;
  const auto units = static_cast<std::size_t>(shape[0]);
  const std::size_t each = static_cast<std::size_t>(shape.elements()) / units;
  for (std::size_t u = 0; u < units; ++u)
    rows.group.insert(rows.group.end(), each, static_cast<std::uint32_t>(u));
  rows.count = units;
  return rows;
}

// Why no layer has units that could go.
std::string why_none(const Sequential& model) {
  bool hidden = false, branches = false;
  for (std::size_t i = 0; i + 1 < model.layers().size(); ++i) {
    hidden = hidden || !followers(model, i).empty();
    branches = branches || !model.feeds_next_alone(i);
  }
  if (hidden) return "none of the model's hidden layers was selected; name one in \"layers\"";
  if (branches)
    return "the outputs of all its convolutions and dense layers are added in a residual or read "
           "by "
           "several layers, where widths must agree; prune single weights (\"prune\") instead";
  return "the model has no hidden convolution or dense layer before another one";
}

const Sequential& sequential(const Layer& model) {
  const auto* found = dynamic_cast<const Sequential*>(&model);
  require(found != nullptr, "UnitPruner", "wants a Sequential, got ", model.describe());
  return *found;
}

}  // namespace

UnitPruner::UnitPruner(Options options) : options_(std::move(options)) {
  require(options_.schedule != nullptr && options_.warn != nullptr, "UnitPruner",
          "wants a schedule, and a function that hears warnings");
  require(options_.frequency_steps >= 1, "UnitPruner",
          "wants a frequency of at least one step, got ", options_.frequency_steps);
}

void UnitPruner::attach(Layer& layer) {
  const Sequential& model = sequential(layer);
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& [name, linear] = model.layers()[i];
    const auto behind = followers(model, i);
    if (behind.empty()) continue;
    Target target;
    const auto whole = [](const std::string& full_name, Parameter& p) {
      return MaskedParameter{full_name, &p, Tensor::full(p.latent().shape(), 1)};
    };
    linear->visit({.parameter = [&](const std::string& parameter, Parameter& p) {
      if (parameter == "weight")
        target.weight = whole(name + ".weight", p);
      else
        target.others.push_back(whole(name + '.' + parameter, p));
    }});
    target.name = target.weight.name;
    if (!options_.select(target.name, *target.weight.parameter)) continue;
    for (const auto* next : behind)
      if (follows(*next))
        next->layer->visit({.parameter = [&](const std::string& parameter, Parameter& p) {
          target.others.push_back(whole(next->name + '.' + parameter, p));
        }});
    targets_.push_back(std::move(target));
  }
  if (targets_.empty())
    fail(ErrorKind::kUsage, "UnitPruner", "there are no units to prune: ", why_none(model));
  for (Target& target : targets_) {
    const auto mask = [](const MaskedParameter& masked) {
      masked.parameter->add_transform("prune_units", masked_by(masked.mask, MaskGradient::kMasked));
    };
    mask(target.weight);
    std::ranges::for_each(target.others, mask);
  }
}

void UnitPruner::step(const training::StepInfo& info) {
  if (info.step == 0)
    if (const auto warning =
            schedule_warning(options_.schedule, options_.frequency_steps, info.total_steps);
        !warning.empty())
      options_.warn("prune units: " + warning);
  reached_ = options_.schedule(info.progress()), wanted_ = options_.schedule(1);
  ended_ = info.last();
  if (mask_is_due(options_.schedule, options_.frequency_steps, info)) choose(reached_);
}

// Of each layer; one unit stays whatever is asked for.
std::vector<std::int64_t> UnitPruner::removed_units(const std::vector<Candidate>& candidates,
                                                    float sparsity) const {
  auto removed = removed_groups(options_.global ? Allocation(Global{}) : Allocation(Uniform{}),
                                candidates, double{sparsity}, double{sparsity});
  for (std::size_t i = 0; i < removed.size(); ++i)
    removed[i] = std::min<std::int64_t>(removed[i], std::ssize(candidates[i].scores) - 1);
  return removed;
}

void UnitPruner::choose(float sparsity) {
  require(0 <= sparsity && sparsity < 1, "UnitPruner", "the schedule wants a share of ", sparsity,
          "; it must lie in [0, 1)");
  std::vector<Candidate> candidates;
  std::vector<Grouping> rows;
  for (const Target& target : targets_) {
    const Tensor& w = target.weight.parameter->latent().value();
    rows.push_back(rows_of(w.shape()));
    candidates.push_back(
        {target.name, w.shape(),
         pooled(scores_of(w, Criterion::kMagnitude, {}), rows.back(), Blocks::Pool::kMean)});
  }
  const auto removed = removed_units(candidates, sparsity);
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    Target& target = targets_[i];
    target.weight.mask.copy_from(
        mask_without(removed[i], candidates[i].scores, rows[i], candidates[i].shape));
    for (MaskedParameter& other : target.others)
      other.mask.copy_from(mask_without(removed[i], candidates[i].scores,
                                        rows_of(other.mask.shape()), other.mask.shape()));
  }
}

bool UnitPruner::visit_state(const training::StateVisitor& visitor) {
  for (Target& target : targets_) {
    visitor(target.name + ".mask", target.weight.mask);
    for (MaskedParameter& other : target.others) visitor(other.name + ".mask", other.mask);
  }
  return true;
}

// Scores do not change how many units of a layer go, only which; of a global share only the sum.
void UnitPruner::check_end() const {
  std::vector<Candidate> candidates;
  for (const Target& target : targets_) {
    const Shape& shape = target.weight.mask.shape();
    candidates.push_back(
        {target.name, shape, std::vector<float>(static_cast<std::size_t>(shape[0]))});
  }
  auto wanted = removed_units(candidates, wanted_);
  std::vector<std::int64_t> got;
  for (const Target& target : targets_) {
    const auto units_lost = [](const Tensor& mask) {  // -1: not whole ones
      const std::int64_t each = mask.elements() / mask.shape()[0],
                         zeros = std::ranges::count(mask.values(), 0.0f);
      return zeros % each == 0 ? zeros / each : -1;
    };
    got.push_back(units_lost(target.weight.mask));
    const auto agrees = [&](const MaskedParameter& other) {
      return units_lost(other.mask) == got.back();
    };
    require(got.back() >= 0 && std::ranges::all_of(target.others, agrees), ErrorKind::kInternal,
            target.name, "should lose whole units, with their biases and batch norm");
  }
  if (options_.global) {
    wanted = {std::reduce(wanted.begin(), wanted.end())};
    got = {std::reduce(got.begin(), got.end())};
  }
  for (std::size_t i = 0; i < got.size(); ++i)
    require(got[i] == wanted[i], ErrorKind::kInternal,
            options_.global ? "UnitPruner" : targets_[i].name, "should end without ", wanted[i],
            " units, lacks ", got[i]);
}

void UnitPruner::bake() {
  if (ended_) check_end();
  if (!ended_ && reached_ < wanted_)
    options_.warn("prune units: the run was stopped where the schedule wants " +
                  percent(double{reached_}, 1) + ", before its end of " +
                  percent(double{wanted_}, 1));
  for (const Target& target : targets_) {
    bake_mask(target.weight, "prune_units");
    for (const MaskedParameter& other : target.others) bake_mask(other, "prune_units");
  }
  targets_.clear();
}

namespace {

// The units of `linear` of which something arrives at the end of `behind`, at least one.
std::vector<std::int64_t> living(Layer& linear, const Entries& behind) {
  std::vector<char> lives;
  // Whatever is not 0 makes a unit live.
  const auto look = [&](const std::string&, Parameter& p) {
    const auto values = p.latent().value().values();
    lives.resize(static_cast<std::size_t>(p.latent().shape()[0]));
    const std::size_t each = values.size() / lives.size();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0) lives[i / each] = 1;
  };
  linear.visit({.parameter = look});
  for (const auto* next : behind) {
    if (auto* depthwise = dynamic_cast<DepthwiseConv2d*>(next->layer.get())) {
      // A kernel of zeros ends what lived before it; one behind a dead unit starts nothing.
      const auto before = std::exchange(lives, {});
      depthwise->visit({.parameter = [&](const std::string& name, Parameter& p) {
        if (name == "weight") look(name, p);
      }});
      for (std::size_t u = 0; u < lives.size(); ++u) lives[u] = lives[u] && before[u];
      depthwise->visit({.parameter = [&](const std::string& name, Parameter& p) {
        if (name == "bias") look(name, p);
      }});
    } else if (follows(*next)) {
      next->layer->visit({.parameter = look});
    }
  }
  std::vector<std::int64_t> kept;
  for (std::size_t u = 0; u < lives.size(); ++u)
    if (lives[u]) kept.push_back(static_cast<std::int64_t>(u));
  if (kept.empty()) kept.push_back(0);
  return kept;
}

std::vector<std::int64_t> all_of(std::int64_t count) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void keep_outputs(Layer& linear, std::span<const std::int64_t> kept) {
  if (auto* conv = dynamic_cast<Conv2d*>(&linear))
    return conv->keep(kept, all_of(conv->options().in));
  auto& dense = dynamic_cast<Dense&>(linear);
  dense.keep(kept, all_of(dense.options().in));
}

// Of a dense layer behind flatten, each of `units` channels has features at every position.
void keep_inputs(Layer& linear, std::span<const std::int64_t> kept, std::int64_t units) {
  if (auto* conv = dynamic_cast<Conv2d*>(&linear))
    return conv->keep(all_of(conv->options().out), kept);
  auto& dense = dynamic_cast<Dense&>(linear);
  std::vector<std::int64_t> features;
  for (std::int64_t position = 0; position < dense.options().in / units; ++position)
    for (const std::int64_t unit : kept) features.push_back(position * units + unit);
  dense.keep(all_of(dense.options().out), features);
}

}  // namespace

std::int64_t remove_zero_units(Sequential& model, const Shape& input) {
  model.output_shape(input);  // or refuses
  std::int64_t removed = 0;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    Layer& linear = *model.layers()[i].layer;
    const auto behind = followers(model, i);
    if (behind.empty()) continue;
    const auto kept = living(linear, behind);
    const auto* conv = dynamic_cast<const Conv2d*>(&linear);
    const std::int64_t units =
        conv ? conv->options().out : dynamic_cast<const Dense&>(linear).options().out;
    if (std::ssize(kept) == units) continue;
    removed += units - std::ssize(kept);
    keep_outputs(linear, kept);
    for (const auto* next : behind) {
      if (auto* norm = dynamic_cast<BatchNorm*>(next->layer.get())) norm->keep(kept);
      if (auto* depthwise = dynamic_cast<DepthwiseConv2d*>(next->layer.get()))
        depthwise->keep(kept);
    }
    keep_inputs(*behind.back()->layer, kept, units);
  }
  model.output_shape(input);  // the shapes chain again
  return removed;
}

}  // namespace espalier::prune
