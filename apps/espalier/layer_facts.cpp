#include "apps/espalier/layer_facts.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/format/writer.hpp"

namespace espalier::apps {
namespace {

using format::LayerKind;
using format::PackedLayer;

std::string kind_of(const PackedLayer& l) {
  const std::string window = std::to_string(l.kernel_h) + "x" + std::to_string(l.kernel_w);
  const std::string relu = l.relu ? " + relu" : "";
  switch (l.kind) {
    case LayerKind::kConv2d:
      return "conv " + window + relu;
    case LayerKind::kDense:
      return "dense" + relu;
    case LayerKind::kMaxPool2d:
      return "max pool " + window;
    case LayerKind::kAveragePool2d:
      return "average pool " + window;
    case LayerKind::kBatchNorm:
      return "batch norm" + relu;
    case LayerKind::kRelu:
      return "relu";
    case LayerKind::kFlatten:
      return "flatten";
  }
  return "?";
}

std::int64_t product(const std::array<std::int64_t, 3>& shape) {
  return shape[0] * shape[1] * shape[2];
}

template <class T>
std::int64_t count(const std::vector<T>& values) {
  return static_cast<std::int64_t>(values.size());
}

LayerFacts facts_of(const PackedLayer& l, const std::array<std::int64_t, 3>& input) {
  LayerFacts facts;
  facts.name = l.name.empty() ? "-" : l.name;
  facts.kind = kind_of(l);
  const bool weighted = format::has_weight(l.kind);
  facts.output = format::output_shape(l, weighted ? l.weight.shape[0] : input[2], input,
                                      ErrorKind::kInternal, "inspect");
  if (weighted) {
    const auto& w = l.weight;
    facts.bits = w.bits;
    facts.weights = count(w.values) + count(w.levels);
    facts.zeros = std::ranges::count(w.values, 0.0f) + std::ranges::count(w.levels, 0);
    facts.macs = facts.weights * facts.output[0] * facts.output[1];
  }
  facts.parameters =
      facts.weights + count(l.bias) + count(l.bias_levels) + count(l.multiplier) + count(l.offset);
  return facts;
}

}  // namespace

ModelFacts count_facts(const format::PackedModel& model) {
  ModelFacts all;
  format::PackedModel first = model;
  first.layers.clear();
  auto shape = model.input_shape;
  bool is_float = model.input.is_float();
  std::int64_t input_bytes = product(shape) * (is_float ? 4 : 1);
  for (const auto& layer : model.layers) {
    LayerFacts facts = facts_of(layer, shape);
    const bool computes = format::has_weight(layer.kind) || layer.kind == LayerKind::kBatchNorm;
    if (computes) is_float = layer.output.is_float();  // the others keep their input's grid
    facts.activation_bytes = product(facts.output) * (is_float ? 4 : 1);
    // Flatten shares its input's memory.
    const std::int64_t held =
        layer.kind == LayerKind::kFlatten ? input_bytes : input_bytes + facts.activation_bytes;
    all.peak_activation_bytes = std::max(all.peak_activation_bytes, held);
    first.layers.push_back(layer);
    const std::size_t file_bytes = format::write(first).size();
    facts.file_bytes = file_bytes - all.file_bytes;
    all.file_bytes = file_bytes;
    all.weights += facts.weights, all.zeros += facts.zeros, all.macs += facts.macs;
    all.parameters += facts.parameters;
    shape = facts.output;
    input_bytes = facts.activation_bytes;
    all.layers.push_back(std::move(facts));
  }
  // The first difference holds the header too: a model of one bare relu tells how much that is.
  first.layers.assign(1, PackedLayer{});
  first.layers[0].kind = LayerKind::kRelu;
  constexpr std::size_t kBareReluBytes = 1;
  all.header_bytes = format::write(first).size() - kBareReluBytes;
  all.layers.front().file_bytes -= all.header_bytes;
  all.dense_float_bytes = 4 * all.parameters;
  return all;
}

}  // namespace espalier::apps
