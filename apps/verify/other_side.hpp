// What a packed model is verified against.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "compress/format/packed_model.hpp"

namespace espalier::apps {

struct OtherSide {
  std::filesystem::path file;  // .esp, or a safetensors file of weights
  // Of weights: the network that they belong to, a name of network_kinds() or a model.json. Empty:
  // the file itself says (layers/network_file.hpp).
  std::string model;
};

// As a packed model, in float where the file holds weights. `like` is the model to verify: networks
// that are built by name take its images and classes. Errors: those of reading; kCorrupt for weights
// without a model, of another model, or of a training run under way; kUsage for --model beside .esp.
format::PackedModel load_other_side(const OtherSide& side, const format::PackedModel& like);

}  // namespace espalier::apps
