#include "apps/common/table_metadata.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace espalier::apps {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json pair_of(const datasets::Scaling& s) {
  return {s.mean, s.deviation};
}

datasets::Scaling scaling_of(const Json& json, const std::string& file) {
  const auto [mean, deviation] = json.get<std::array<float, 2>>();
  require(std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0, ErrorKind::kCorrupt,
          file, "a column's mean and deviation are ", mean, " and ", deviation);
  return {mean, deviation};
}

}  // namespace

std::map<std::string, std::string> table_metadata(const TrainingData& data) {
  std::map<std::string, std::string> all;
  Json columns = Json::array();
  for (const auto& column : data.columns) columns.push_back(pair_of(column));
  if (!columns.empty()) all["columns"] = text_of(columns);
  if (data.target) all["target"] = text_of(pair_of(*data.target));
  if (data.column_names.empty()) return all;
  all["column_names"] = text_of(data.column_names);
  all["label_name"] = text_of(data.label_name);
  return all;
}

void add_table(ModelInput& input, const std::map<std::string, std::string>& metadata) {
  const auto entry = [&](const char* name) {
    const auto at = metadata.find(name);
    return at == metadata.end() ? Json() : Json::parse(at->second);
  };
  try {
    for (const Json& column : entry("columns"))
      input.columns.push_back(scaling_of(column, input.file));
    if (const Json target = entry("target"); !target.is_null())
      input.target = scaling_of(target, input.file);
    if (const Json names = entry("column_names"); !names.is_null()) {
      input.column_names = names.get<std::vector<std::string>>();
      input.label_name = entry("label_name").get<std::string>();
    }
  } catch (const Json::exception&) {
    fail(ErrorKind::kCorrupt, input.file, "its metadata of a table's columns is damaged");
  }
  require(input.columns.empty() || std::ssize(input.columns) == input.shape[2], ErrorKind::kCorrupt,
          input.file, "has means of ", input.columns.size(), " columns, its network takes ",
          input.shape[2]);
  require(input.column_names.empty() || input.column_names.size() == input.columns.size(),
          ErrorKind::kCorrupt, input.file, "names ", input.column_names.size(), " columns of ",
          input.columns.size());
}

}  // namespace espalier::apps
