// What a checkpoint's metadata says of the table that its network was trained on: "columns", a JSON
// list of [mean, deviation]; "target", one such pair; "column_names" and "label_name", JSON texts.
#pragma once

#include <map>
#include <string>

#include "apps/common/data_options.hpp"

namespace espalier::apps {

// Nothing for data that is no table.
std::map<std::string, std::string> table_metadata(const TrainingData& data);

// Takes them up into `input`, whose file stands in errors. Errors: kCorrupt for what table_metadata()
// does not write.
void add_table(ModelInput& input, const std::map<std::string, std::string>& metadata);

}  // namespace espalier::apps
