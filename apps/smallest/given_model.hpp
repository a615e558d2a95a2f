// The network that a command line names.
#pragma once

#include <string>
#include <vector>

#include "apps/smallest/networks.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::apps {

struct GivenModel {
  Sequential model;
  std::vector<std::string> labels;  // of a model.json; may be empty
};

// `name`: of network_kinds(), at its whole widths, or a file "*.json" (layers/model_json.hpp). Errors:
// kUsage for a name that is none, and naming the file for one that takes other images or has another
// number of classes than `data`; those of load_model_json.
GivenModel given_model(const std::string& name, const datasets::Dataset& data, std::uint64_t seed);

// The model.json of a network of network_kinds() at its whole widths: given_model() makes the same
// layers of either. Errors: kUsage for a name that is none, and where the input is too small.
std::string network_json(const std::string& name, const Task& task);

}  // namespace espalier::apps
