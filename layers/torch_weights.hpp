// Weights of a PyTorch network, put into a model of the same structure. The file is its state_dict as
// Python's `safetensors` saves it; values may be float32, float16 or bfloat16:
//
//   from safetensors.torch import save_file
//   save_file({k: v.contiguous() for k, v in net.state_dict().items()}, "net.safetensors")
//
// PyTorch lays tensors out otherwise, and its names are its own:
//
//   Conv2d, DepthwiseConv2d   weight [O I KH KW], bias   ->  weight [O KH KW I], bias
//   Dense (Linear)            weight [OUT IN], bias      ->  weight [OUT x IN], bias. Behind a Flatten
//                             of an image, inputs come in the order C H W there, H W C here.
//   BatchNorm                 weight, bias, running_mean, running_var  ->  gamma, beta, mean, variance
//
// Where a module has no bias, the layer's is 0; where batch norm has no weight, gamma is 1. Not in the
// file, and up to the model: strides, padding, the order of layers, and batch norm's epsilon, which
// PyTorch takes to be 1e-5. Images here are of pixels / 255: a network that learned others (mean and
// deviation taken out) wants that in its first layer's weights.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive/archive.hpp"
#include "layers/sequential.hpp"

namespace espalier {

// From a layer ("conv1") to a module ("features.0"), or from a parameter or state ("conv1.weight") to a
// tensor ("features.0.weight"); none: the layer keeps the values that it has.
using TorchMap = std::map<std::string, std::optional<std::string>>;

// {"conv1": "features.0", "output": null}: an object of names. Comments as in model.json. Errors
// (kCorrupt) name the place.
TorchMap parse_torch_map(std::string_view text, const std::string& file);

struct TorchMatch {
  std::string layer, module;
  enum class How { kMapped, kNamed, kShape, kOrder } how;
};

struct TorchReport {
  std::vector<TorchMatch> matches;  // in the model's order
  std::vector<std::string> kept;    // layers that the map gives nothing
  std::vector<std::string> unused;  // "head.weight [1000x512]": tensors that no layer took
};

// What the map does not say is found: a module whose name, or its last part, is the layer's; then, of
// modules and layers with weights of one shape, if they are equally many, the first for the first, in
// the order of the names, numbers by value. `input` is of one example, `name` the file in errors.
// Errors (kCorrupt), naming layer, tensor, both shapes and the remedy: a layer without match, a shape
// or dtype that does not fit, a NaN or infinity, names of the map that are not there, tensors left over
// where the map is empty. The model is changed only when every tensor fits.
TorchReport set_torch_weights(Sequential& model, const Shape& input, const Archive& archive,
                              const std::string& name, const TorchMap& map = {});

}  // namespace espalier
