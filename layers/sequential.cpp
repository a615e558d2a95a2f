#include "layers/sequential.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "layers/conv2d.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier {

Sequential& Sequential::add(std::string name, std::unique_ptr<Layer> layer, const Wires& wires) {
  require(layer != nullptr, "Sequential", "was given no layer for the name \"", name, '"');
  require(!name.empty() && name.find('.') == std::string::npos, "Sequential",
          "wants a layer's name without dots, got \"", name, '"');
  require(std::ranges::none_of(layers_, [&](const Entry& e) { return e.name == name; }),
          "Sequential", "holds a layer named \"", name, "\" already");
  const bool adds = dynamic_cast<const Residual*>(layer.get()) != nullptr;
  require(adds == !wires.with.empty(), "Sequential", "layer \"", name, "\", ", layer->describe(),
          adds ? ", wants the name of its second summand" : ", takes no second summand");
  Stages stages{layers_.size(), {}};
  if (!wires.from.empty()) stages.input = stage_of(wires.from, name);
  if (adds) stages.other = stage_of(wires.with, name);
  layers_.push_back({std::move(name), std::move(layer)});
  wires_.push_back(stages);
  return *this;
}

std::size_t Sequential::stage_of(const std::string& name, const std::string& reader) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].name == name) return i + 1;
    names.push_back(layers_[i].name);
  }
  const std::string near = nearest(name, names);
  fail(ErrorKind::kUsage, "Sequential", "layer \"", reader, "\" reads \"", name,
       "\", and no layer before it has this name",
       near.empty() ? "" : "; did you mean \"" + near + "\"?");
}

void Sequential::remove(const std::string& name) {
  const auto found = std::ranges::find(layers_, name, &Entry::name);
  require(found != layers_.end(), "Sequential", "holds no layer named \"", name, '"');
  const auto at = static_cast<std::size_t>(found - layers_.begin());
  const std::size_t read = wires_[at].input;
  const auto moved = [&](std::size_t& stage) {
    if (stage == at + 1)
      stage = read;
    else if (stage > at + 1)
      --stage;
  };
  layers_.erase(found);
  wires_.erase(wires_.begin() + static_cast<std::ptrdiff_t>(at));
  for (Stages& stages : wires_) {
    moved(stages.input);
    if (stages.other) moved(*stages.other);
  }
}

std::vector<std::size_t> Sequential::readers(std::size_t stage) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < wires_.size(); ++i)
    if (wires_[i].input == stage || wires_[i].other == stage) found.push_back(i);
  return found;
}

bool Sequential::feeds_next_alone(std::size_t layer) const {
  const std::size_t next = layer + 1;
  if (next >= layers_.size() || wires_[next].input != next || wires_[next].other) return false;
  return std::all_of(wires_.begin() + static_cast<std::ptrdiff_t>(next) + 1, wires_.end(),
                     [&](const Stages& s) { return s.input != next && s.other != next; });
}

bool Sequential::pools_relu(std::size_t layer) const {
  const Layer& relu = *layers_[layer].layer;
  if (!dynamic_cast<const Relu*>(&relu) || !feeds_next_alone(layer)) return false;
  const Layer& pool = *layers_[layer + 1].layer;
  return dynamic_cast<const MaxPool2d*>(&pool) && !relu.taps_input() && !relu.taps_output() &&
         !pool.taps_input();
}

bool Sequential::pools_convolution(std::size_t layer) const {
  const Layer& conv = *layers_[layer].layer;
  return dynamic_cast<const Conv2d*>(&conv) && !conv.taps_output() && feeds_next_alone(layer) &&
         pools_relu(layer + 1);
}

Variable Sequential::walk(const Variable& x, const ForwardContext& context,
                          const Seen& seen) const {
  RecycledVector<Variable> kept(layers_.size() + 1);  // stages that others than the next layer read
  const auto keep = [&](std::size_t stage, const Variable& y) {
    for (std::size_t i = stage; i < wires_.size(); ++i)
      if ((i != stage && wires_[i].input == stage) || wires_[i].other == stage) kept[stage] = y;
  };
  keep(0, x);
  Variable y = x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& [input, other] = wires_[i];
    ForwardContext here = context;
    if (other) here.other = &kept[*other];
    const Variable& read = input == i ? y : kept[input];
    if (!seen && pools_convolution(i)) {
      auto& conv = dynamic_cast<Conv2d&>(*layers_[i].layer);
      const auto& pool = dynamic_cast<const MaxPool2d&>(*layers_[i += 2].layer);
      const Shape convolved = kernels::convolved_shape(read.shape(), conv.weight().latent().shape(),
                                                       conv.window(read.shape()));
      y = pool.tap(conv.relu_max_pooled(read, pool.window(convolved)));
    } else if (!seen && pools_relu(i)) {
      const auto& pool = dynamic_cast<const MaxPool2d&>(*layers_[++i].layer);
      y = pool.tap(ops::relu_max_pool2d(read, pool.window(read.shape())));
    } else {
      y = (*layers_[i].layer)(read, here);
    }
    if (seen) seen(i, y);
    keep(i + 1, y);
  }
  return y;
}

Variable Sequential::forward(const Variable& x, const ForwardContext& context) {
  return walk(x, context, nullptr);
}

void Sequential::visit(const Visitor& visitor) {
  for (const auto& entry : layers_) {
    const std::string prefix = entry.name + '.';
    entry.layer->visit(
        {.parameter = [&](const std::string& name, Parameter& p) { visitor(prefix + name, p); },
         .state = [&](const std::string& name, Tensor& s) { visitor(prefix + name, s); }});
  }
}

std::vector<Shape> Sequential::stage_shapes(const Shape& input) const {
  std::vector<Shape> shapes{input};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& [name, layer] = layers_[i];
    const auto& [from, other] = wires_[i];
    require(!other || shapes[*other] == shapes[from], name, "adds ", shapes[from], " and ",
            other ? shapes[*other] : Shape{},
            "; make both alike, for example by a 1x1 convolution with the same strides");
    try {
      shapes.push_back(layer->output_shape(shapes[from]));
    } catch (const Error& error) {
      fail(error.kind(), name, error.what());
    }
  }
  return shapes;
}

Shape Sequential::output_shape(const Shape& input) const {
  return stage_shapes(input).back();
}

std::int64_t Sequential::macs(const Shape& input) const {
  const auto shapes = stage_shapes(input);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    total += layers_[i].layer->macs(shapes[wires_[i].input]);
  return total;
}

std::string Sequential::wires_text(std::size_t layer) const {
  const auto& [input, other] = wires_[layer];
  const auto named = [&](std::size_t stage) {
    return stage == 0 ? std::string("the input") : layers_[stage - 1].name;
  };
  return (input == layer ? "" : " from " + named(input)) + (other ? " with " + named(*other) : "");
}

std::string Sequential::describe() const {
  std::string text;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    text += layers_[i].name + ": " + layers_[i].layer->describe() + wires_text(i) + '\n';
  return text;
}

}  // namespace espalier
