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

namespace {

template <class Table>
void remember(format::PackedModel& model, const Table& table) {
  model.columns.clear();
  for (const datasets::Scaling& s : table.columns) model.columns.push_back({s.mean, s.deviation});
  model.target.reset();
  if (table.target) model.target = format::Scaling{table.target->mean, table.target->deviation};
  model.column_names = table.column_names;
  model.label_name = table.label_name;
}

}  // namespace

void remember_table(format::PackedModel& model, const TrainingData& data) {
  remember(model, data);
}
void remember_table(format::PackedModel& model, const ModelInput& data) {
  remember(model, data);
}

void require_same_table(const format::PackedModel& a, const format::PackedModel& b,
                        const std::string& file_of_b) {
  require(
      (a.columns.empty() || b.columns.empty() || a.columns == b.columns) &&
          (a.column_names.empty() || b.column_names.empty() || a.column_names == b.column_names),
      file_of_b, "was trained on a table of other columns, or other rows: their means are others");
  require(a.target == b.target, file_of_b,
          a.target && b.target ? "predicts numbers on another scale: it was trained on other rows"
                               : "one predicts a number, the other tells classes apart");
}

void require_classes(const TrainingData& data, const std::string& command) {
  require(!data.target, command,
          "wants classes, the data has numbers to predict; espalier train, compress, verify, "
          "compare, eval and run know these");
}

}  // namespace espalier::apps
