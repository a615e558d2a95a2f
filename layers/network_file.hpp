// A whole network in one file of the safetensors layout: its values as save_parameters() writes them,
// and as the metadata entry "model" the model.json that builds it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/archive/archive.hpp"
#include "layers/model_json.hpp"

namespace espalier {

// The file's bytes. `input` is of one example, [H W C] or [F]; labels: none, or one an output;
// more: metadata beside the model's.
// Transforms and taps are not in it: bake first. Errors: as format_model_json().
Bytes encode_network(Sequential& model, const Shape& input,
                     const std::vector<std::string>& labels = {},
                     const std::map<std::string, std::string>& more = {});

// Whether it is the checkpoint of a training under way, whose passes still transform its weights.
bool is_under_way(const Archive& archive);

// `name` names the archive in errors. Errors: kCorrupt when it holds no model.json, and those of
// parse_model_json() and set_parameters().
ModelJson network_of(const Archive& archive, const std::string& name);
// Errors: also those of load_archive().
ModelJson load_network(const std::filesystem::path& path);

}  // namespace espalier
