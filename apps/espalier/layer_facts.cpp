#include "apps/espalier/layer_facts.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/stages.hpp"

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
    case LayerKind::kDepthwiseConv2d:
      return "depthwise conv " + window + relu;
    case LayerKind::kResidual:
      return "residual" + relu;
  }
  return "?";
}

template <class T>
std::int64_t count(const std::vector<T>& values) {
  return static_cast<std::int64_t>(values.size());
}

LayerFacts facts_of(const PackedLayer& l, const runtime::Stage& input,
                    const runtime::Stage& output) {
  LayerFacts facts;
  facts.name = l.name.empty() ? "-" : l.name;
  facts.kind = kind_of(l);
  facts.output = output.shape;
  facts.activation_bytes = output.bytes();
  facts.integer = format::takes_levels(l, input.grid);
  facts.macs = runtime::macs(l, input.shape);
  if (format::has_weight(l.kind)) {
    const auto& w = l.weight;
    facts.bits = w.bits;
    facts.weights = count(w.values) + count(w.levels);
    facts.zeros = std::ranges::count(w.values, 0.0f) + std::ranges::count(w.levels, 0);
  }
  facts.parameters =
      facts.weights + count(l.bias) + count(l.bias_levels) + count(l.multiplier) + count(l.offset);
  return facts;
}

}  // namespace

ModelFacts count_facts(const format::PackedModel& model, format::Coding coding) {
  const auto stages = runtime::stages(model);
  const auto sizes = format::measure(model, coding);
  ModelFacts all;
  all.file_bytes = format::write(model, coding).size();
  double bits = 0;
  std::size_t before = 0;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    LayerFacts facts =
        facts_of(model.layers[i], stages[format::input_stage(model.layers[i], i)], stages[i + 1]);
    bits += sizes.layer_bits[i];
    const auto so_far = std::min(static_cast<std::size_t>(bits / 8 + 0.5), all.file_bytes);
    facts.file_bytes = so_far - before;
    before = so_far;
    all.weights += facts.weights, all.zeros += facts.zeros, all.macs += facts.macs;
    all.parameters += facts.parameters;
    all.layers.push_back(std::move(facts));
  }
  all.header_bytes = all.file_bytes - before;
  all.dense_float_bytes = 4 * all.parameters;
  all.peak_activation_bytes = runtime::peak_activation_bytes(model);
  return all;
}

}  // namespace espalier::apps
