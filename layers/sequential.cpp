#include "layers/sequential.hpp"

#include <algorithm>

namespace espalier {

Sequential& Sequential::add(std::string name, std::unique_ptr<Layer> layer) {
  require(layer != nullptr, "Sequential", "was given no layer for the name \"", name, '"');
  require(!name.empty() && name.find('.') == std::string::npos, "Sequential",
          "wants a layer's name without dots, got \"", name, '"');
  require(std::ranges::none_of(layers_, [&](const Entry& e) { return e.name == name; }),
          "Sequential", "holds a layer named \"", name, "\" already");
  layers_.push_back({std::move(name), std::move(layer)});
  return *this;
}

void Sequential::remove(const std::string& name) {
  const auto erased = std::erase_if(layers_, [&](const Entry& e) { return e.name == name; });
  require(erased == 1, "Sequential", "holds no layer named \"", name, '"');
}

Variable Sequential::forward(const Variable& x, const ForwardContext& context) {
  Variable y = x;
  for (const auto& [name, layer] : layers_) y = (*layer)(y, context);
  return y;
}

void Sequential::visit(const Visitor& visitor) {
  for (const auto& entry : layers_) {
    const std::string prefix = entry.name + '.';
    entry.layer->visit(
        {.parameter = [&](const std::string& name, Parameter& p) { visitor(prefix + name, p); },
         .state = [&](const std::string& name, Tensor& s) { visitor(prefix + name, s); }});
  }
}

Shape Sequential::output_shape(const Shape& input) const {
  Shape shape = input;
  for (const auto& [name, layer] : layers_) {
    try {
      shape = layer->output_shape(shape);
    } catch (const Error& error) {
      fail(error.kind(), name, error.what());
    }
  }
  return shape;
}

std::int64_t Sequential::macs(const Shape& input) const {
  Shape shape = input;
  std::int64_t total = 0;
  for (const auto& [name, layer] : layers_) {
    total += layer->macs(shape);
    shape = layer->output_shape(shape);
  }
  return total;
}

std::string Sequential::describe() const {
  std::string text;
  for (const auto& [name, layer] : layers_) text += name + ": " + layer->describe() + '\n';
  return text;
}

}  // namespace espalier
