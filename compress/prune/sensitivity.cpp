#include "compress/prune/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include "compress/prune/mask.hpp"
#include "compress/prune/score.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/progress.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "datasets/subset.hpp"
#include "optim/training/evaluate.hpp"

namespace espalier::prune {
namespace {

// The parameter's values, brought back at the end.
class Restored {
 public:
  Restored(Parameter& parameter, const Structure& structure)
      : parameter_(parameter),
        values_(parameter.latent().value().clone()),
        grouping_(groups_of(values_.shape(), structure)) {
    const auto* blocks = std::get_if<Blocks>(&structure);
    scores_ = pooled(scores_of(values_, Criterion::kMagnitude, {}), grouping_,
                     blocks ? blocks->pool : Blocks::Pool::kMean);
  }
  ~Restored() { parameter_.latent().mutable_value().copy_from(values_); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

  void prune(float sparsity) {
    const auto removed = std::llround(double{sparsity} * static_cast<double>(scores_.size()));
    const Tensor mask = mask_without(removed, scores_, grouping_, values_.shape());
    const auto to = parameter_.latent().mutable_value().mutable_values();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = values_.values()[i] * mask.values()[i];
  }

 private:
  Parameter& parameter_;
  Tensor values_;
  Grouping grouping_;
  std::vector<float> scores_;
};

// The largest sparsity up to which the tensor loses at most `drop`; 0 for one below 0. Once it
// has lost more it does not
// come back: an accuracy that rises again is taken as luck.
double sparsity_at(const Sensitivity& s, const Sensitivity::Tensor& tensor, double drop) {
  if (drop < 0) return 0;
  double from = 0, lost = 0;  // the point before, whose loss is the largest so far
  for (std::size_t i = 0; i < tensor.accuracies.size(); ++i) {
    const double to = double{s.sparsities[i]},
                 loses = std::max(lost, s.baseline - tensor.accuracies[i]);
    if (loses > drop) return from + (to - from) * (drop - lost) / (loses - lost);
    from = to, lost = loses;
  }
  return from;
}

// Of all tensors together.
double overall(const Sensitivity& s, double drop) {
  double zeros = 0, all = 0;
  for (const auto& tensor : s.tensors) {
    zeros += static_cast<double>(tensor.weights) * sparsity_at(s, tensor, drop);
    all += static_cast<double>(tensor.weights);
  }
  return all > 0 ? zeros / all : 0;
}

}  // namespace

Sensitivity sensitivity(Layer& model, const std::function<double(Layer&)>& accuracy,
                        const SensitivityOptions& options) {
  require(!std::holds_alternative<NofM>(options.structure), "sensitivity",
          "n of m has one sparsity alone: there is nothing to scan");
  check(options.structure);
  float before = -1;
  for (const float s : options.sparsities) {
    require(0 <= s && s < 1 && s > before, "sensitivity",
            "wants sparsities in [0, 1) that rise, got ", s, " after ", before);
    before = s;
  }
  std::vector<std::pair<std::string, Parameter*>> selected;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (options.select(name, p)) selected.emplace_back(name, &p);
  }});
  require(!selected.empty(), "sensitivity", "no parameter of the model was selected");
  Sensitivity result{.baseline = accuracy(model), .sparsities = options.sparsities, .tensors = {}};
  Progress progress("sensitivity", std::ssize(selected) * std::ssize(options.sparsities), "trials",
                    options.quiet);
  std::int64_t done = 0;
  for (const auto& [name, parameter] : selected) {
    Restored restored(*parameter, options.structure);
    result.tensors.push_back({name, {}, parameter->latent().shape().elements()});
    for (const float sparsity : options.sparsities) {
      restored.prune(sparsity);
      result.tensors.back().accuracies.push_back(accuracy(model));
      progress.update(++done, name);
    }
  }
  progress.finish();
  return result;
}

Sensitivity sensitivity(Layer& model, const datasets::Dataset& data,
                        const SensitivityOptions& options) {
  const std::shared_ptr<const datasets::Dataset> borrowed(std::shared_ptr<void>(), &data);
  Rng rng(options.seed, "sensitivity");
  require(options.images >= 1, "sensitivity", "wants at least one image, got ", options.images);
  const auto drawn = datasets::split(borrowed, std::min(options.images, data.size()), rng).drawn;
  const auto accuracy = [&](Layer& pruned) {
    require(!interrupted(), ErrorKind::kInterrupted, "sensitivity", "stopped by Ctrl-C");
    const auto found = training::evaluate(pruned, *drawn);
    return drawn->has_targets() ? std::max(0.0, found.r2) : found.accuracy;
  };
  return sensitivity(model, accuracy, options);
}

PerLayer choose_sparsities(const Sensitivity& sensitivity, double most_drop) {
  PerLayer chosen;
  for (const auto& tensor : sensitivity.tensors) {
    float& most = chosen.sparsity[tensor.name];
    for (std::size_t i = 0; i < tensor.accuracies.size(); ++i) {
      if (tensor.accuracies[i] < sensitivity.baseline - most_drop) break;
      most = sensitivity.sparsities[i];
    }
  }
  return chosen;
}

PerLayer share_by_sensitivity(const Sensitivity& s, double sparsity) {
  const float most = s.sparsities.empty() ? 0 : s.sparsities.back();
  require(0 <= sparsity && static_cast<float>(sparsity) <= most, "sensitivity",
          "shares sparsities of 0 to ", most, ", the largest that was measured; got ", sparsity);
  sparsity = std::min(sparsity, double{most});
  const auto at = [&](double drop) { return overall(s, drop); };
  // Between two losses: nothing at all and none, or the two next to each other around the sparsity.
  // A curve that is level jumps there, so that none of the two need meet it.
  double low = -1, high = 0;  // at a loss below 0 nothing goes
  if (at(0) < sparsity) {
    low = 0, high = 1;  // accuracies are fractions: everything may go
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (at(middle) < sparsity ? low : high) = middle;
    }
  }
  const double less = at(low), more = at(high);
  const double part = more > less ? (sparsity - less) / (more - less) : 0;
  PerLayer shared;
  for (const auto& tensor : s.tensors) {
    const double from = sparsity_at(s, tensor, low), to = sparsity_at(s, tensor, high);
    shared.sparsity[tensor.name] = static_cast<float>(from + part * (to - from));
  }
  return shared;
}

std::string table_of(const Sensitivity& sensitivity, std::size_t width) {
  Column names{.header = "pruned alone", .left = true};
  for (const auto& tensor : sensitivity.tensors) names.cells.push_back(tensor.name);
  std::vector<Column> columns = {names};
  for (std::size_t i = 0; i < sensitivity.sparsities.size(); ++i) {
    columns.push_back({.header = percent(double{sensitivity.sparsities[i]}, 0)});
    for (const auto& tensor : sensitivity.tensors)
      columns.back().cells.push_back(percent(tensor.accuracies[i]));
  }
  return table(columns, width);
}

Json json_of(const Sensitivity& sensitivity) {
  Json json = {{"baseline", sensitivity.baseline},
               {"sparsities", Json::array()},
               {"tensors", Json::object()}};
  for (const float v : sensitivity.sparsities) json["sparsities"].push_back(shortest_decimal(v));
  for (const auto& tensor : sensitivity.tensors) json["tensors"][tensor.name] = tensor.accuracies;
  return json;
}

}  // namespace espalier::prune
