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
void remember_table(format::PackedModel& model, const ModelInput& data);

// Two models that are to be tested with the same rows see them alike. A model that knows nothing of a
// table is taken at its word. Errors: kUsage, naming b's file.
void require_same_table(const format::PackedModel& a, const format::PackedModel& b,
                        const std::string& file_of_b);

// Errors: kUsage, naming the command, where the data has numbers to predict in place of classes.
void require_classes(const TrainingData& data, const std::string& command);

}  // namespace espalier::apps
