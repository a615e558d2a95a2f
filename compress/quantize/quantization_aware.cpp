#include "compress/quantize/quantization_aware.hpp"

#include <algorithm>

#include "compress/quantize/bias_correction.hpp"
#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/quantize/learned_step.hpp"
#include "core/kernels/integer.hpp"
#include "core/ops/ops.hpp"
#include "layers/batch_norm.hpp"
#include "layers/dropout.hpp"
#include "layers/find_parameter.hpp"
#include "layers/flatten.hpp"
#include "layers/kind.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier::quantize {
namespace {

// Images are 0..1.
constexpr ActivationGrid kImageGrid{1.0f / kernels::kMaxActivationLevel, 0};

Parameter& parameter_of(Layer& linear, std::string_view name) {
  Parameter* found = find_parameter(linear, name);
  require(found != nullptr, ErrorKind::kInternal, linear.describe(), "has no ", name);
  return *found;
}
Parameter& weight_of(Layer& linear) {
  return parameter_of(linear, "weight");
}
Parameter& bias_of(Layer& linear) {
  return parameter_of(linear, "bias");
}

// x rounded to the levels of an activation grid.
Variable rounded(const Variable& x, const ActivationGrid& grid, bool means = false) {
  return ops::fake_quant(x, {.scales = {grid.scale},
                             .zero_point = grid.zero_point,
                             .min_level = 0,
                             .max_level = kernels::kMaxActivationLevel,
                             .means = means});
}

constexpr float kDecay = 0.999f;  // of moving ranges

ActivationGrid shortened(ActivationGrid grid, int bits) {
  grid.scale = short_scale(grid.scale, bits);
  return grid;
}

// The fewest bits, 2 to 8, whose range holds every level.
int bits_for(const std::vector<std::int8_t>& levels) {
  int bits = 2;
  for (const std::int8_t level : levels)
    while (std::abs(level) > max_weight_level(bits)) ++bits;
  return bits;
}

}  // namespace

QuantizationAware::QuantizationAware(Options options)
    : options_(options), mode_(std::make_shared<Mode>(Mode::kFrozen)) {
  max_weight_level(options.weight_bits);  // checks
  require(options.warn != nullptr, "QuantizationAware", "wants a function that hears warnings");
  for (const auto& [_, bits] : options.layer_bits) max_weight_level(bits);
  require(0 < options.freeze_at && options.freeze_at <= 1, "QuantizationAware",
          "wants freeze_at in (0, 1], got ", options.freeze_at);
  require(0 <= options.round_from && options.round_from <= 1, "QuantizationAware",
          "wants round_from in [0, 1], got ", options.round_from);
  check_activation_bits(options.activation_bits);
  for (const auto& [_, bits] : options.layer_activation_bits) check_activation_bits(bits);
  require(options.step_learning_rate > 0 && options.activation_step_learning_rate > 0,
          "QuantizationAware", "wants learning rates of steps > 0, got ",
          options.step_learning_rate, " and ", options.activation_step_learning_rate);
  require(!options.learned_step || options.weights == WeightLevels::kUniform, "QuantizationAware",
          "ternary and binary weights have scales by formula; leave learned_step out");
}

void require_quantizable(const Sequential& model) {
  layer_forms(model);
}

void QuantizationAware::attach(Layer& model) {
  model_ = dynamic_cast<Sequential*>(&model);
  require(model_ != nullptr, "QuantizationAware", "wants a Sequential, got ", model.describe());
  require_quantizable(*model_);
  fold_batch_norm(*model_);
  const auto& layers = model_->layers();
  for (const auto& [name, bits] : options_.layer_bits)
    require(std::ranges::any_of(layers,
                                [&, &wanted = name](const auto& entry) {
                                  return entry.name == wanted && is_linear(*entry.layer);
                                }),
            "QuantizationAware", name, ", which shall have ", bits,
            " bits, is no convolution or dense layer of the model");
  for (const auto& [name, bits] : options_.layer_activation_bits)
    require(std::ranges::any_of(
                layers, [&, &wanted = name](const auto& entry) { return entry.name == wanted; }),
            "QuantizationAware", name, ", whose activations shall have ", bits,
            " bits, is no layer of the model");
  forms_ = layer_forms(*model_, options_.float_layers);
  for (const StaysFloat& row : forms_.report)
    if (!row.asked)
      options_.warn("layer " + row.name + ", " + row.layer + ", stays in float: " + row.reason);
  if (forms_.input_grid)
    model_->set_input_tap([mode = mode_](const Variable& x) {
      const bool floats = *mode == Mode::kCalibrating || *mode == Mode::kObserving;
      return floats ? x : rounded(x, kImageGrid);
    });
  // Of the levels of each stage; none: the image, or floats.
  std::vector<std::shared_ptr<RangeObserver>> ranges(layers.size() + 1);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Layer& layer = *layers[i].layer;
    const LayerForm& form = forms_.layers[i];
    const auto input = ranges[model_->input_stage(i)];
    if (is_any<AveragePool2d>(layer) && form.integer) observe(layer, input);
    if (!form.moves) {
      if (ranges[i + 1] == nullptr) ranges[i + 1] = input;  // a fused relu has it already
      continue;
    }
    const bool fuses = is_linear(layer) || is_any<BatchNorm, Residual>(layer);
    const bool relu = fuses && model_->feeds_next_alone(i) && is_any<Relu>(*layers[i + 1].layer);
    Stage stage{layers[i].name, &layer, form.integer, relu, input, nullptr};
    if (is_linear(layer) && form.integer && !options_.given_scale) put_on_levels(stage);
    if (form.output_grid) {
      stage.output = std::make_shared<RangeObserver>(options_.observer, kDecay,
                                                     activation_bits_of(stage.name, relu));
      if (options_.learned_activation_step && relu) stage.output->learn();
      observe(*layers[i + relu + pools_before_rounding(i, relu)].layer, stage.output);
      auto* sum = dynamic_cast<Residual*>(&layer);
      if (sum && form.integer) round_summands(*sum, stage.output);
    }
    ranges[i + 1] = ranges[i + 1 + relu] = stage.output;
    stages_.push_back(std::move(stage));
  }
  std::vector<Variable> weights, activations;
  for (const Stage& stage : stages_) {
    if (stage.steps.defined()) weights.push_back(stage.steps);
    if (stage.output && stage.output->step().defined()) activations.push_back(stage.output->step());
  }
  step_training_.add("steps", weights, options_.step_learning_rate);
  step_training_.add("activation_steps", activations, options_.activation_step_learning_rate);
}

// Rounding keeps order, and a window's maximum of rounded activations is its rounded maximum: behind
// relu and max pool there is a quarter to look at, and to round. Activations that no window holds
// (a stride above the kernel, or rows left over) do not widen the range: nobody reads them. Observers
// that count would count others; a learned step would have another gradient.
bool QuantizationAware::pools_before_rounding(std::size_t linear, bool relu) const {
  const bool extremes = options_.observer == ObserverKind::kMinMax ||
                        options_.observer == ObserverKind::kMovingAverage;
  return relu && extremes && !options_.learned_activation_step && model_->pools_relu(linear + 1);
}

// Both summands become multiples of the sum's scale, without an end.
void QuantizationAware::round_summands(Residual& sum, const std::shared_ptr<RangeObserver>& range) {
  sum.set_summand_tap([mode = mode_, range, bits = options_.scale_bits](const Variable& x) {
    const bool floats = *mode == Mode::kCalibrating || *mode == Mode::kObserving;
    if (floats || !range->seen()) return x;
    constexpr int kFar = 1 << 20;
    return ops::fake_quant(
        x,
        {.scales = {shortened(range->grid(), bits).scale}, .min_level = -kFar, .max_level = kFar});
  });
}

// Rounds the weights of a linear layer in every forward pass.
void QuantizationAware::put_on_levels(Stage& stage) {
  stage.rule = rule_of(stage.name);
  Parameter& weight = weight_of(*stage.layer);
  const Tensor w = weight.effective().value();
  require(stage.rule.levels != WeightLevels::kBinary || !std::ranges::count(w.values(), 0.0f),
          "QuantizationAware", "layer ", stage.name,
          " holds zeros, and binary weights have none; use ternary ones");
  if (stage.rule.learned_step) stage.steps = Variable(first_steps(w, stage.rule), true);
  weight.add_transform("quantize", [rule = stage.rule, steps = stage.steps,
                                    scale_bits = options_.scale_bits, mode = mode_,
                                    &bias = bias_of(*stage.layer),
                                    input = stage.input](const Variable& w) {
    if (*mode == Mode::kCalibrating || (input && !input->seen())) return w;
    const float input_scale = input ? shortened(input->grid(), scale_bits).scale : kImageGrid.scale;
    const auto scales = scales_of(w.value(), rule, steps.defined() ? steps.value() : Tensor(),
                                  {bias.effective().value(), input_scale});
    return on_levels(w, rule, scales, steps);
  });
}

WeightRule QuantizationAware::rule_of(const std::string& layer) const {
  const auto own = options_.layer_bits.find(layer);
  if (own != options_.layer_bits.end())
    return {.bits = own->second,
            .per_channel = options_.per_channel,
            .learned_step = options_.learned_step};
  return {.levels = options_.weights,
          .bits = options_.weight_bits,
          .per_channel = options_.per_channel,
          .learned_step = options_.learned_step};
}

int QuantizationAware::activation_bits_of(const std::string& layer, bool relu) const {
  const auto own = options_.layer_activation_bits.find(layer);
  const int bits =
      own == options_.layer_activation_bits.end() ? options_.activation_bits : own->second;
  require(relu || bits == 7, "QuantizationAware", "activations of layer ", layer, " shall have ",
          bits,
          " bits, but no relu stands directly behind it, whose 0 is where their levels begin; "
          "give this layer 7");
  return bits;
}

// Rounds what the layer returns to the grid of `range`. An average pool shares the range of its
// input, which therefore only the layer that made it may move. Only training (which records) and
// calibration observe: evaluation must not move a range.
void QuantizationAware::observe(Layer& layer, const std::shared_ptr<RangeObserver>& range) {
  const bool shared = is_any<AveragePool2d>(layer);
  layer.set_output_tap(
      [mode = mode_, range, shared, bits = options_.scale_bits](const Variable& y) {
        const bool floats = *mode == Mode::kCalibrating || *mode == Mode::kObserving;
        const bool training = *mode != Mode::kFrozen && y.needs_gradient();
        const bool learns = range && range->step().defined() && !shared;
        // A learned range wants one batch, the first that is rounded.
        const bool looks = !learns || !range->seen() || *mode == Mode::kObserving;
        if (!shared && looks && (training || *mode == Mode::kCalibrating))
          range->observe(y.value());
        if (floats || (range && !range->seen())) return y;
        if (learns) {
          const ActivationGrid grid = shortened(range->grid(), bits);
          return learned_activation_step(y, range->step(), grid.scale,
                                         kernels::kMaxActivationLevel - grid.zero_point);
        }
        return rounded(y, range ? shortened(range->grid(), bits) : kImageGrid, shared);
      });
}

void QuantizationAware::step(const training::StepInfo& info) {
  const float progress = info.progress();
  // The first step observes in any case: a run may have no other.
  *mode_ = info.step > 0 && progress >= options_.freeze_at ? Mode::kFrozen
           : progress < options_.round_from                ? Mode::kObserving
                                                           : Mode::kTraining;
  step_training_.clear_gradients();
}

void QuantizationAware::after_step(const training::StepInfo&, optim::Optimizer&) {
  if (*mode_ != Mode::kFrozen) step_training_.step();
}

bool QuantizationAware::visit_state(const training::StateVisitor& visitor) {
  for (auto& stage : stages_)
    if (stage.output) visitor(stage.name + ".range", stage.output->state());
  for (auto& stage : stages_)
    if (stage.steps.defined()) visitor(stage.name + ".steps", stage.steps.mutable_value());
  step_training_.visit_state(visitor);
  return true;
}

void QuantizationAware::calibrate(const datasets::Dataset& data, std::int64_t images) {
  require(model_ != nullptr, "calibrate", "attach the pass to a model first");
  require(1 <= images && images <= data.size(), "calibrate", "wants 1 to ", data.size(),
          " images, got ", images);
  require(!options_.learned_activation_step, "calibrate",
          "learned steps of activations want training; leave learned_activation_step out");
  const NoGradient guard;
  *mode_ = Mode::kCalibrating;
  datasets::for_each_batch(
      data, images, 100, [&](const datasets::Batch& batch) { (*model_)(Variable(batch.images)); });
  const auto as_it_is = [](const Variable& x) { return x; };
  Means floats;
  if (options_.bias_correction) floats = output_means(*model_, data, images, as_it_is);
  *mode_ = Mode::kFrozen;
  if (options_.bias_correction)
    correct_biases(*model_, floats, data, images, [on_grid = forms_.input_grid](const Variable& x) {
      return on_grid ? rounded(x, kImageGrid) : x;
    });
}

ActivationGrid QuantizationAware::grid_of(const RangeObserver& range) const {
  return shortened(range.grid(), options_.scale_bits);
}

// One stage that computes in floats: as it was trained.
IntegerLayer QuantizationAware::settle_floats(const Stage& stage) {
  IntegerLayer to{.name = stage.name, .layer = stage.layer, .is_float = true, .relu = stage.relu};
  if (stage.output) to.output = grid_of(*stage.output);
  const auto copy = [](const Tensor& t) {
    return std::vector<float>(t.values().begin(), t.values().end());
  };
  if (const auto* norm = dynamic_cast<const BatchNorm*>(stage.layer)) {
    const auto affine = norm->affine();
    to.multiplier = affine.scale, to.offset = affine.offset;
  } else if (is_any<Residual>(*stage.layer)) {
    // nothing of its own
  } else if (is_linear(*stage.layer)) {
    to.values = copy(weight_of(*stage.layer).effective().value());
    to.bias = copy(bias_of(*stage.layer).effective().value());
  } else {
    to.forward = [layer = stage.layer](const Tensor& x) { return (*layer)(Variable(x)).value(); };
  }
  return to;
}

// The integers of one stage.
IntegerLayer QuantizationAware::settle(const Stage& stage) {
  if (!stage.integer) return settle_floats(stage);
  const ActivationGrid input = stage.input ? grid_of(*stage.input) : kImageGrid;
  IntegerLayer to{.name = stage.name, .layer = stage.layer, .relu = stage.relu};
  if (stage.output) to.output = grid_of(*stage.output);
  if (is_any<Residual>(*stage.layer)) return to;
  if (const auto* norm = dynamic_cast<const BatchNorm*>(stage.layer)) {
    const auto affine = norm->affine();
    for (std::size_t c = 0; c < affine.scale.size(); ++c) {
      to.multiplier.push_back(input.scale * affine.scale[c] / to.output->scale);
      to.offset.push_back(affine.offset[c] / to.output->scale);
    }
    return to;
  }
  Parameter& weight = weight_of(*stage.layer);
  if (options_.given_scale) {
    const Tensor w = weight.effective().value();
    to.scales.assign(static_cast<std::size_t>(w.shape()[0]), options_.given_scale(*stage.layer));
    to.levels = weight_levels(w, to.scales, 8);
    to.bits = bits_for(to.levels);
    to.bias_levels = bias_levels(bias_of(*stage.layer).effective().value(), input.scale, to.scales);
    return to;
  }
  to.bits = stage.rule.stored_bits();
  weight.remove_transform("quantize");
  const Tensor w = weight.effective().value();  // masked, if a mask is still attached
  const Tensor bias = bias_of(*stage.layer).effective().value();
  to.scales = scales_of(w, stage.rule, stage.steps.defined() ? stage.steps.value() : Tensor(),
                        {bias, input.scale});
  to.levels = levels_of(w, stage.rule, to.scales);
  to.bias_levels = bias_levels(bias, input.scale, to.scales);
  weight.settle(on_levels(Variable(w), stage.rule, to.scales, stage.steps).value());
  return to;
}

void QuantizationAware::bake() {
  require(model_ != nullptr, "bake", "attach the pass to a model first");
  const NoGradient guard;
  network_ = IntegerNetwork{.input = std::nullopt, .layers = {}};
  if (forms_.input_grid) network_->input = kImageGrid;
  auto stage = stages_.begin();
  const auto& layers = model_->layers();
  std::vector<std::size_t> place(layers.size() + 1);  // of the model's stages among the network's
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& [name, layer] = layers[i];
    const std::size_t input = place[model_->input_stage(i)], here = network_->layers.size();
    place[i + 1] = is_any<Dropout>(*layer) ? input : here + 1;
    if (is_any<Dropout>(*layer)) continue;
    const bool moves = stage != stages_.end() && stage->layer == layer.get();
    IntegerLayer to = moves ? settle(*stage) : IntegerLayer{.name = name, .layer = layer.get()};
    to.from = here + 1 - input;
    if (const auto other = model_->other_stage(i)) to.with = here + 1 - place[*other];
    network_->layers.push_back(std::move(to));
    if (!moves) continue;
    i += stage->relu;  // fused
    place[i + 1] = here + 1;
    ++stage;
  }
}

std::optional<ActivationGrid> QuantizationAware::input_grid(const Layer& linear) const {
  for (const Stage& stage : stages_) {
    if (stage.layer != &linear) continue;
    if (!stage.integer) return std::nullopt;
    if (!stage.input) return kImageGrid;
    return stage.input->seen() ? std::optional(grid_of(*stage.input)) : std::nullopt;
  }
  fail(ErrorKind::kInternal, "input_grid", linear.describe(), " is not a layer of the model");
}

const IntegerNetwork& QuantizationAware::network() const {
  require(network_.has_value(), "QuantizationAware", "has no integers before bake()");
  return *network_;
}

}  // namespace espalier::quantize
