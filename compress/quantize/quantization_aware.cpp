#include "compress/quantize/quantization_aware.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/kernels/integer.hpp"
#include "core/ops/ops.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"

namespace espalier::quantize {
namespace {

bool is_linear(const Layer& layer) {
  return dynamic_cast<const Conv2d*>(&layer) || dynamic_cast<const Dense*>(&layer);
}

template <class... Kinds>
bool is_any(const Layer& layer) {
  return (dynamic_cast<const Kinds*>(&layer) || ...);
}

// w rounded to scale[c] * level.
ops::FakeQuantGrid weight_grid(const Tensor& w, int bits) {
  const std::int32_t q = max_weight_level(bits);
  return {
      .scales = bounded_weight_scales(w, bits), .zero_point = 0, .min_level = -q, .max_level = q};
}

}  // namespace

QuantizationAware::QuantizationAware(Options options)
    : options_(options), mode_(std::make_shared<Mode>(Mode::kFrozen)) {
  max_weight_level(options.weight_bits);  // checks
  require(0 < options.freeze_at && options.freeze_at <= 1, "QuantizationAware",
          "wants freeze_at in (0, 1], got ", options.freeze_at);
}

void QuantizationAware::attach(Layer& model) {
  model_ = dynamic_cast<Sequential*>(&model);
  require(model_ != nullptr, "QuantizationAware", "wants a Sequential, got ", model.describe());
  const auto& layers = model_->layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Layer& layer = *layers[i].layer;
    require((is_linear(layer) || is_any<Relu, MaxPool2d, Flatten, Dropout>(layer)),
            "QuantizationAware", "layer ", layers[i].name, ", ", layer.describe(),
            ", has no integer form yet; leave it out of the model or keep the model in float");
    if (!is_linear(layer)) continue;
    const bool relu = i + 1 < layers.size() && is_any<Relu>(*layers[i + 1].layer);
    Linear linear{layers[i].name, &layer, nullptr, nullptr, relu, nullptr};
    layer.visit({.parameter = [&](const std::string& name, Parameter& p) {
      (name == "weight" ? linear.weight : linear.bias) = &p;
    }});
    linear.weight->add_transform("quantize",
                                 [bits = options_.weight_bits, mode = mode_](const Variable& w) {
                                   if (*mode == Mode::kCalibrating) return w;
                                   return ops::fake_quant(w, weight_grid(w.value(), bits));
                                 });
    if (i + 1 < layers.size()) {
      linear.output = std::make_shared<RangeObserver>(options_.observer);
      // Only training (which records) and calibration observe: evaluation must not move a range.
      layers[i + relu].layer->set_output_tap(
          [mode = mode_, range = linear.output](const Variable& y) {
            const bool training = *mode == Mode::kTraining && y.needs_gradient();
            if (training || *mode == Mode::kCalibrating) range->observe(y.value());
            if (*mode == Mode::kCalibrating || !range->seen()) return y;
            const ActivationGrid grid = range->grid();
            return ops::fake_quant(y, {.scales = {grid.scale},
                                       .zero_point = grid.zero_point,
                                       .min_level = 0,
                                       .max_level = kernels::kMaxActivationLevel});
          });
    }
    linears_.push_back(linear);
  }
  require(!layers.empty() && is_linear(*layers.back().layer), "QuantizationAware",
          "the model must end in a convolution or dense layer, whose sums are the logits");
}

void QuantizationAware::step(const training::StepInfo& info) {
  *mode_ = info.progress() < options_.freeze_at ? Mode::kTraining : Mode::kFrozen;
}

void QuantizationAware::calibrate(const datasets::Dataset& data, std::int64_t images) {
  require(model_ != nullptr, "calibrate", "attach the pass to a model first");
  require(1 <= images && images <= data.size(), "calibrate", "wants 1 to ", data.size(),
          " images, got ", images);
  const NoGradient guard;
  *mode_ = Mode::kCalibrating;
  constexpr std::int64_t kBatch = 100;
  for (std::int64_t begin = 0; begin < images; begin += kBatch) {
    std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(kBatch, images - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    (*model_)(Variable(datasets::collate(data, indices).images));
  }
  *mode_ = Mode::kFrozen;
}

void QuantizationAware::bake() {
  require(model_ != nullptr, "bake", "attach the pass to a model first");
  const NoGradient guard;
  std::map<std::string, IntegerLayer> integers;
  ActivationGrid grid{1.0f / kernels::kMaxActivationLevel, 0};  // images are 0..1
  network_ = IntegerNetwork{.input = grid, .layers = {}};
  for (Linear& l : linears_) {
    l.weight->remove_transform("quantize");
    const Tensor w = l.weight->effective().value();  // masked, if a mask is still attached
    IntegerLayer layer{
        .name = l.name, .layer = l.layer, .bits = options_.weight_bits, .relu = l.relu};
    layer.scales = bounded_weight_scales(w, layer.bits);
    layer.levels = weight_levels(w, layer.scales, layer.bits);
    layer.bias_levels = bias_levels(l.bias->effective().value(), grid.scale, layer.scales);
    l.weight->latent().mutable_value().copy_from(
        ops::fake_quant(Variable(w), weight_grid(w, layer.bits)).value());
    if (l.output) layer.output = grid = l.output->grid();
    integers[l.name] = std::move(layer);
  }
  const auto& layers = model_->layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = *layers[i].layer;
    const bool fused = i > 0 && is_any<Relu>(layer) && is_linear(*layers[i - 1].layer);
    if (fused || is_any<Dropout>(layer)) continue;
    if (is_linear(layer)) {
      network_->layers.push_back(std::move(integers[layers[i].name]));
    } else {
      network_->layers.push_back({.name = layers[i].name, .layer = &layer});
    }
  }
}

const IntegerNetwork& QuantizationAware::network() const {
  require(network_.has_value(), "QuantizationAware", "has no integers before bake()");
  return *network_;
}

}  // namespace espalier::quantize
