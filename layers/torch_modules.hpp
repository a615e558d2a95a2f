// A PyTorch state_dict's modules, and what a layer wants of one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/archive/archive.hpp"
#include "layers/sequential.hpp"

namespace espalier::torch {

// "features.0" and its tensors "weight", "bias", ...
struct Module {
  std::string name;
  std::map<std::string, std::string> tensors;  // from "weight" to "features.0.weight"
};

// In the order of their names, numbers by value: "layer.2" before "layer.10". Counters of batch norm
// are left out.
std::vector<Module> modules_of(const Archive& archive);

// One tensor of a layer: its own name and shape, PyTorch's, and how values change places.
struct Slot {
  std::string own, theirs;                      // "gamma", "weight"
  Shape shape, wanted;                          // of ours; of the file's
  std::optional<float> without = std::nullopt;  // the value where the file has no such tensor
  // Of a dense layer behind a Flatten, or a batch norm there: the image [H W C] whose values stand in
  // a row along the last axis.
  std::optional<Shape> image = std::nullopt;

  // Values of the file's shape in our order.
  Tensor ours(const Tensor& theirs) const;
};

// None for layers without parameters. stage_image: as Slot::image, of what the layer takes. Errors:
// kUsage for a layer with parameters of a kind that PyTorch's modules do not have.
std::vector<Slot> slots_of(Layer& layer, const std::string& name,
                           const std::optional<Shape>& stage_image);

// For each layer the image [H W C] whose values its input holds in a row, if it does.
std::vector<std::optional<Shape>> flattened_images(const Sequential& model, const Shape& input);

}  // namespace espalier::torch
