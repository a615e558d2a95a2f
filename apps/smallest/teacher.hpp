// A whole network, in float, of which small ones learn.
#pragma once

#include <filesystem>

#include "apps/smallest/networks.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

// The kind at its whole widths, trained from nothing on `train` with shifts of a pixel and dropout,
// and kept in `file`; read from there the next time. quiet: no progress. Errors: as training::fit
// and load_parameters.
Sequential teacher(const NetworkKind& kind, const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train, int epochs = 20,
                   bool quiet = false);

Task task_of(const datasets::Dataset& data);

}  // namespace espalier::apps
