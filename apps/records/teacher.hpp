// The teacher of all rows and seeds: the whole LeNet-5-Caffe, 20-50-500.
#pragma once

#include <filesystem>

#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::apps {

// Trained from nothing on `train` with shifts of a pixel and dropout, and kept in `file`; read from
// there the next time. Errors: as training::fit and load_parameters.
Sequential teacher(const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train);

}  // namespace espalier::apps
