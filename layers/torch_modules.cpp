#include "layers/torch_modules.hpp"

#include <algorithm>
#include <cctype>

#include "layers/batch_norm.hpp"
#include "layers/flatten.hpp"
#include "layers/kind.hpp"

namespace espalier::torch {
namespace {

// Runs of digits by their value, all else by its bytes.
bool before(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const auto number = [&](const std::string& text, std::size_t& at) {
        while (at < text.size() && text[at] == '0') ++at;
        const std::size_t from = at;
        while (at < text.size() && digit(text[at])) ++at;
        return text.substr(from, at - from);
      };
      const std::string x = number(a, i), y = number(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

Shape last_axes_first(const Shape& ours) {  // [O KH KW I] -> [O I KH KW]
  return {ours[0], ours[3], ours[1], ours[2]};
}

}  // namespace

std::vector<Module> modules_of(const Archive& archive) {
  std::vector<Module> modules;
  for (const auto& [tensor, _] : archive.tensors) {
    const auto dot = tensor.rfind('.');
    const std::string name = dot == std::string::npos ? "" : tensor.substr(0, dot);
    const std::string own = dot == std::string::npos ? tensor : tensor.substr(dot + 1);
    if (own == "num_batches_tracked") continue;
    const auto found = std::ranges::find(modules, name, &Module::name);
    Module& module = found != modules.end() ? *found : modules.emplace_back(Module{name, {}});
    module.tensors[own] = tensor;
  }
  std::ranges::sort(modules, before, &Module::name);
  return modules;
}

Tensor Slot::ours(const Tensor& theirs) const {
  Tensor to(shape);
  const auto y = to.mutable_values();
  const auto x = theirs.values();
  if (shape.rank() == 4) {
    const std::int64_t taps = shape[1] * shape[2], inputs = shape[3];
    for (std::int64_t o = 0; o < shape[0]; ++o)
      for (std::int64_t tap = 0; tap < taps; ++tap)
        for (std::int64_t i = 0; i < inputs; ++i)
          y[static_cast<std::size_t>((o * taps + tap) * inputs + i)] =
              x[static_cast<std::size_t>((o * inputs + i) * taps + tap)];
    return to;
  }
  if (!image) {
    std::ranges::copy(x, y.begin());
    return to;
  }
  const std::int64_t pixels = (*image)[0] * (*image)[1], channels = (*image)[2];
  const std::int64_t row = pixels * channels;
  for (std::int64_t r = 0; r < shape.elements() / row; ++r)
    for (std::int64_t p = 0; p < pixels; ++p)
      for (std::int64_t c = 0; c < channels; ++c)
        y[static_cast<std::size_t>(r * row + p * channels + c)] =
            x[static_cast<std::size_t>(r * row + c * pixels + p)];
  return to;
}

std::vector<Slot> slots_of(Layer& layer, const std::string& name,
                           const std::optional<Shape>& stage_image) {
  std::map<std::string, Shape> shapes;
  layer.visit(
      {.parameter = [&](const std::string& own, Parameter& p) { shapes[own] = p.latent().shape(); },
       .state = [&](const std::string& own, Tensor& t) { shapes[own] = t.shape(); }});
  if (shapes.empty()) return {};
  if (is_any<BatchNorm>(layer)) {
    std::vector<Slot> slots;
    for (const auto& [own, theirs, without] :
         {std::tuple("gamma", "weight", std::optional(1.0f)),
          std::tuple("beta", "bias", std::optional(0.0f)),
          std::tuple("mean", "running_mean", std::optional<float>()),
          std::tuple("variance", "running_var", std::optional<float>())})
      slots.push_back({own, theirs, shapes.at(own), shapes.at(own), without, stage_image});
    return slots;
  }
  require(is_linear(layer), name, "is ", layer.describe(),
          ", for which PyTorch's files have no module; let the map keep its values: \"", name,
          "\": null");
  const Shape& weight = shapes.at("weight");
  const bool dense = is_any<Dense>(layer);
  return {{.own = "weight",
           .theirs = "weight",
           .shape = weight,
           .wanted = dense ? weight : last_axes_first(weight),
           .image = dense ? stage_image : std::nullopt},
          {.own = "bias",
           .theirs = "bias",
           .shape = shapes.at("bias"),
           .wanted = shapes.at("bias"),
           .without = 0.0f}};
}

std::vector<std::optional<Shape>> flattened_images(const Sequential& model, const Shape& input) {
  const std::vector<Shape> shapes = model.stage_shapes(input);
  std::vector<std::optional<Shape>> stages(1), taken;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = *model.layers()[i].layer;
    const std::size_t from = model.input_stage(i);
    taken.push_back(stages[from]);
    if (is_any<Flatten>(layer) && shapes[from].rank() == 3)
      stages.emplace_back(shapes[from]);
    else if (is_linear(layer) || shapes[i + 1].rank() == 3)
      stages.emplace_back();
    else
      stages.push_back(stages[from]);  // value by value, in the order that there was
  }
  return taken;
}

}  // namespace espalier::torch
