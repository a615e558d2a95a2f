// Layers one after the other. Each has a name, which begins the names of its parameters:
// "conv1.weight".
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer.hpp"

namespace espalier {

class Sequential final : public Layer {
 public:
  struct Entry {
    std::string name;
    std::unique_ptr<Layer> layer;
  };

  // model.add("conv1", Conv2d({...}, rng)).add("relu1", Relu());
  template <std::derived_from<Layer> L>
  Sequential& add(std::string name, L layer) {
    return add(std::move(name), std::make_unique<L>(std::move(layer)));
  }
  // Errors: no layer; a name that is empty, taken, or holds a dot.
  Sequential& add(std::string name, std::unique_ptr<Layer> layer);

  // Takes a layer out; what stood before it is now followed by what stood after it. Errors: there
  // is none of that name.
  void remove(const std::string& name);

  const std::vector<Entry>& layers() const { return layers_; }
  void visit(const Visitor& visitor) override;
  std::string describe() const override;  // one line a layer, "name: Kind(...)"
  // The last layer's. Errors name the layer that does not fit.
  Shape output_shape(const Shape& input) const override;
  std::int64_t macs(const Shape& input) const override;  // of all layers

 private:
  Variable forward(const Variable& x, const ForwardContext& context) override;
  std::vector<Entry> layers_;
};

}  // namespace espalier
