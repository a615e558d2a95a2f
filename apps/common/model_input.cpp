#include "apps/common/model_input.hpp"

namespace espalier::apps {

ModelInput input_of(const std::string& file, const format::PackedModel& model) {
  ModelInput input{.file = file,
                   .shape = model.input_shape,
                   .labels = model.labels,
                   .column_names = model.column_names,
                   .label_name = model.label_name};
  for (const format::Scaling& s : model.columns) input.columns.push_back({s.mean, s.deviation});
  if (model.target) input.target = datasets::Scaling{model.target->mean, model.target->deviation};
  return input;
}

void remember_table(format::PackedModel& model, const TrainingData& data) {
  model.columns.clear();
  for (const datasets::Scaling& s : data.columns) model.columns.push_back({s.mean, s.deviation});
  model.target.reset();
  if (data.target) model.target = format::Scaling{data.target->mean, data.target->deviation};
  model.column_names = data.column_names;
  model.label_name = data.label_name;
}

void require_classes(const TrainingData& data, const std::string& command) {
  require(
      !data.target, command,
      "wants classes, the data has numbers to predict; espalier train, eval and run know these");
}

}  // namespace espalier::apps
