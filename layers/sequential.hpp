// Layers in order, each of which takes what the one before it yields unless it names another. Each
// has a name, which begins the names of its parameters: "conv1.weight".
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer.hpp"

namespace espalier {

// What a layer of a Sequential reads: names of layers before it.
struct Wires {
  std::string from = {};  // what it takes; empty: what the one before it yields
  std::string with = {};  // a residual's second summand
};

class Sequential final : public Layer {
 public:
  struct Entry {
    std::string name;
    std::unique_ptr<Layer> layer;
  };

  // model.add("conv1", Conv2d({...}, rng)).add("relu1", Relu());
  // model.add("sum1", Residual(), {.with = "relu1"});
  template <std::derived_from<Layer> L>
  Sequential& add(std::string name, L layer, const Wires& wires = {}) {
    return add(std::move(name), std::make_unique<L>(std::move(layer)), wires);
  }
  // Errors: no layer; a name that is empty, taken, or holds a dot; wires to layers that are not
  // there; a residual without second summand, another layer with one.
  Sequential& add(std::string name, std::unique_ptr<Layer> layer, const Wires& wires = {});

  // Takes a layer out; who read it now reads what it read. Errors: there is none of that name.
  void remove(const std::string& name);

  const std::vector<Entry>& layers() const { return layers_; }
  // Stage 0 is the model's input, stage i + 1 what layer i yields.
  std::size_t input_stage(std::size_t layer) const { return wires_[layer].input; }
  std::optional<std::size_t> other_stage(std::size_t layer) const { return wires_[layer].other; }
  // The layers that read a stage, as input or as second summand.
  std::vector<std::size_t> readers(std::size_t stage) const;
  // Whether what layer i yields is the input of layer i + 1 and of no other, and no summand.
  bool feeds_next_alone(std::size_t layer) const;
  // " from pool1 with relu1", as far as it is not what the layer before yields.
  std::string wires_text(std::size_t layer) const;

  void visit(const Visitor& visitor) override;
  std::string describe() const override;  // one line a layer, "name: Kind(...)"
  // The last layer's. Errors name the layer that does not fit.
  Shape output_shape(const Shape& input) const override;
  std::vector<Shape> stage_shapes(const Shape& input) const;  // errors: as above
  std::int64_t macs(const Shape& input) const override;       // of all layers

  // Whether this relu and the max pooling after it may run as one op: nobody looks in between.
  bool pools_relu(std::size_t layer) const;
  // The same of this convolution, the relu and the max pooling after it.
  bool pools_convolution(std::size_t layer) const;

  // What the last layer yields, without the taps of the model itself; `seen` meets what each layer
  // yields, in order.
  using Seen = std::function<void(std::size_t layer, const Variable& y)>;
  Variable walk(const Variable& x, const ForwardContext& context, const Seen& seen) const;

 private:
  struct Stages {
    std::size_t input;
    std::optional<std::size_t> other;
  };
  Variable forward(const Variable& x, const ForwardContext& context) override;
  std::size_t stage_of(const std::string& name, const std::string& reader) const;
  std::vector<Entry> layers_;
  std::vector<Stages> wires_;  // one a layer
};

}  // namespace espalier
