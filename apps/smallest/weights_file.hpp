// A network from a file of its weights.
#pragma once

#include <filesystem>
#include <string>

#include "apps/smallest/networks.hpp"
#include "layers/model_json.hpp"

namespace espalier::apps {

// model: the network that the weights belong to, a name of network_kinds() or a model.json; empty:
// the file itself says (layers/network_file.hpp). task: what a network that is built by name sees and
// says. Errors: those of reading; kCorrupt for weights that do not say their network where none is
// named, that belong to another one, or to a training run under way.
ModelJson load_weights(const std::filesystem::path& file, const std::string& model,
                       const Task& task);

}  // namespace espalier::apps
