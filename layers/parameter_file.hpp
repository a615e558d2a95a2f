// A model's values in a file of the safetensors layout: what one program hands to the next. The
// structure is not in it: the reader builds the same model first.
#pragma once

#include <filesystem>

#include "core/archive/archive.hpp"
#include "layers/layer.hpp"

namespace espalier {

// Every latent parameter and every state tensor by name. Transforms and taps are not saved: bake
// first. Errors: kIo.
void save_parameters(Layer& model, const std::filesystem::path& path);

// Errors: kIo; kCorrupt, naming file and tensor, when the file is damaged or was made by another
// model (a name or shape differs), or when a value is a NaN or infinity. The model is changed only when
// every tensor fits.
void load_parameters(Layer& model, const std::filesystem::path& path);

// The same without the file. The archive's tensors share the model's memory; `name` stands for the
// archive in errors.
Archive parameters_of(Layer& model);
void set_parameters(Layer& model, const Archive& archive, const std::string& name);

// Errors: kCorrupt, naming file, tensor, index and value, where one of a tensor of floats is a NaN or
// infinity.
void require_finite(const Tensor& tensor, const std::string& tensor_name, const std::string& file);

}  // namespace espalier
