#include "compress/prune/sensitivity.hpp"

#include <iomanip>
#include <sstream>

#include "compress/prune/mask.hpp"
#include "core/base/progress.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"

namespace espalier::prune {
namespace {

// The parameter's values, brought back at the end.
class Restored {
 public:
  explicit Restored(Parameter& parameter)
      : parameter_(parameter), values_(parameter.latent().value().clone()) {}
  ~Restored() { parameter_.latent().mutable_value().copy_from(values_); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

  void prune(float sparsity) {
    const Tensor mask = magnitude_mask(values_, sparsity);
    const auto to = parameter_.latent().mutable_value().mutable_values();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = values_.values()[i] * mask.values()[i];
  }

 private:
  Parameter& parameter_;
  Tensor values_;
};

}  // namespace

Sensitivity sensitivity(Layer& model, const std::function<double(Layer&)>& accuracy,
                        const SensitivityOptions& options) {
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
    Restored restored(*parameter);
    result.tensors.push_back({name, {}});
    for (const float sparsity : options.sparsities) {
      restored.prune(sparsity);
      result.tensors.back().accuracies.push_back(accuracy(model));
      progress.update(++done, name);
    }
  }
  progress.finish();
  return result;
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

std::string json_of(const Sensitivity& sensitivity) {
  std::ostringstream json;
  json.precision(7);  // 0.1f is 0.1
  const auto list = [&](const auto& values) {
    json << '[';
    for (std::size_t i = 0; i < values.size(); ++i) json << (i ? ", " : "") << values[i];
    json << ']';
  };
  json << "{\"baseline\": " << sensitivity.baseline << ", \"sparsities\": ";
  list(sensitivity.sparsities);
  json << ", \"tensors\": {";
  for (std::size_t t = 0; t < sensitivity.tensors.size(); ++t) {
    json << (t ? ", " : "") << std::quoted(printable(sensitivity.tensors[t].name)) << ": ";
    list(sensitivity.tensors[t].accuracies);
  }
  json << "}}";
  return json.str();
}

}  // namespace espalier::prune
