// A trainable tensor: a latent value, which the optimizer moves, and an ordered list of transforms
// (mask, fake quantization) that make of it the value which the layer computes with. A layer asks
// for effective() and knows nothing of compression.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/autograd/variable.hpp"

namespace espalier {

class Parameter {
 public:
  using Transform = std::function<Variable(const Variable&)>;

  explicit Parameter(Tensor value) : latent_(std::move(value), /*needs_gradient=*/true) {}

  const Variable& latent() const { return latent_; }
  Variable& latent() { return latent_; }

  // The latent value after every transform, in the order in which they were added.
  Variable effective() const;

  // `name` is the pass that adds it. Errors: the name is taken; the value is settled; on use, the
  // shape was changed.
  void add_transform(std::string name, Transform transform);
  // Errors: there is none of that name.
  void remove_transform(const std::string& name);
  bool has_transforms() const { return !transforms_.empty(); }

  // For a pass that is baked while those attached before it still are: `value`, which all transforms
  // together made, becomes the latent value, and what is left of them is passed over from now on.
  void settle(const Tensor& value);
  bool settled() const { return settled_; }

 private:
  Variable latent_;
  std::vector<std::pair<std::string, Transform>> transforms_;
  bool settled_ = false;
};

}  // namespace espalier
