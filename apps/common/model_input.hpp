// What a model's file and the data that it is trained on or tested with have to tell each other.
#pragma once

#include <string>

#include "apps/common/data_options.hpp"
#include "compress/format/packed_model.hpp"

namespace espalier::apps {

// For load_data_for(); `file` stands in errors.
ModelInput input_of(const std::string& file, const format::PackedModel& model);

// Puts into the model how its columns and its target were scaled in training, and what they are
// called.
void remember_table(format::PackedModel& model, const TrainingData& data);

// Errors: kUsage, naming the command, where the data has numbers to predict in place of classes.
void require_classes(const TrainingData& data, const std::string& command);

}  // namespace espalier::apps
