#include "compress/rate/rate_penalty.hpp"

#include <algorithm>
#include <cmath>

#include "compress/rate/scaled_levels.hpp"
#include "core/ops/ops.hpp"
#include "layers/kind.hpp"

namespace espalier::rate {
namespace {

constexpr int kMaxBiasLevel = 127;  // in steps of the bias's own, coarse grid

float he_deviation(const Tensor& weight) {
  const double fan_in = static_cast<double>(weight.elements() / weight.shape()[0]);
  return static_cast<float>(std::sqrt(2 / fan_in));
}

// Adam's running squares, a parameter each in the model's order, which is that of attach().
std::vector<Tensor*> squares_of(optim::Optimizer& optimizer, std::size_t count) {
  std::vector<Tensor*> squares;
  optimizer.visit_state([&](const std::string& name, Tensor& state) {
    if (name.starts_with("square.")) squares.push_back(&state);
  });
  require(squares.size() == count, "RatePenalty",
          "wants Adam as the optimizer, and a model whose parameters are weights and biases of "
          "convolution and dense layers only; found ",
          squares.size(), " running squares for ", count, " parameters");
  return squares;
}

}  // namespace

RatePenalty::RatePenalty(Options options)
    : options_(std::move(options)),
      activations_({.freeze_at = options_.freeze_at,
                    .round_from = options_.activations_from,
                    .scale_bits = options_.scale_bits,
                    .given_scale = [this](const Layer& linear) { return step_of(linear); }}) {
  const auto& o = options_;
  require(o.lambda >= 0 && o.bias_lambda >= 0 && o.learning_rate > 0 && o.schedule != nullptr,
          "RatePenalty", "wants lambda >= 0, a learning rate > 0 and a schedule, got ", o.lambda,
          " and ", o.learning_rate);
  require(o.first_step > 0 && o.middle_step > 0 && o.last_step > 0 && o.bias_step > 0 &&
              o.step_learning_rate >= 0,
          "RatePenalty", "wants steps > 0, got ", o.first_step, ", ", o.middle_step, ", ",
          o.last_step, " and ", o.bias_step, " for biases");
  require(0 <= o.float_until && o.float_until < o.ramp_until && o.ramp_until <= o.freeze_at,
          "RatePenalty", "wants 0 <= float_until < ramp_until <= freeze_at, got ", o.float_until,
          ", ", o.ramp_until, " and ", o.freeze_at);
}

void RatePenalty::attach(Layer& model) {
  activations_.attach(model);  // checks the model; folds batch norm
  std::vector<std::pair<std::string, Layer*>> linear;
  for (const auto& [name, layer] : dynamic_cast<Sequential&>(model).layers())
    if (is_linear(*layer)) linear.emplace_back(name, layer.get());
  for (std::size_t i = 0; i < linear.size(); ++i)
    add(*linear[i].second, linear[i].first,
        i + 1 == linear.size() ? options_.last_step
        : i == 0               ? options_.first_step
                               : options_.middle_step);
  std::vector<Variable> steps;
  for (const Target& target : targets_)
    if (!target.is_bias) steps.push_back(target.log_step);
  if (options_.step_learning_rate > 0)
    step_optimizer_ = std::make_unique<optim::Adam>(
        steps, optim::Adam::Options{.learning_rate = options_.step_learning_rate});
}

void RatePenalty::add(Layer& layer, const std::string& name, float multiple) {
  layer.visit({.parameter = [&](const std::string& parameter, Parameter& p) {
    const bool is_bias = parameter == "bias";
    const float step =
        is_bias ? options_.bias_step : multiple * he_deviation(p.latent().value()) / 2;
    for (float& v : p.latent().mutable_value().mutable_values()) v /= step;
    targets_.push_back({name + '.' + parameter, &layer, &p, is_bias,
                        Variable(Tensor::full({1}, std::log(step)), !is_bias),
                        LevelCode(is_bias ? kMaxBiasLevel : options_.max_level)});
    p.add_transform("rate", [this, &target = targets_.back()](const Variable& u) {
      return target.is_bias ? bias(target, u) : weight(target, u);
    });
  }});
}

Variable RatePenalty::weight(const Target& target, const Variable& u) const {
  return scaled_levels(u, target.log_step, {.max_level = options_.max_level, .round = round_});
}

// One level of the bias is 2^shift steps of the sums, the power nearest to its unit: the file
// stores few bits and one shift a layer.
float RatePenalty::bias_scale(const Target& target) const {
  const auto input = activations_.input_grid(*target.layer);
  if (!input) return 0;
  const float sums = input->scale * step_of(*target.layer);
  const float unit = std::exp(target.log_step.value().item());
  return std::ldexp(sums, std::max(0, static_cast<int>(std::lround(std::log2(unit / sums)))));
}

Variable RatePenalty::bias(const Target& target, const Variable& u) const {
  const Variable b =
      scaled_levels(u, target.log_step, {.max_level = kMaxBiasLevel, .round = false});
  const float scale = bias_scale(target);
  if (!round_ || scale == 0) return b;
  return ops::fake_quant(
      b, {.scales = {scale}, .min_level = -kMaxBiasLevel, .max_level = kMaxBiasLevel});
}

float RatePenalty::step_of(const Layer& linear) const {
  const auto found = std::ranges::find_if(
      targets_, [&](const Target& t) { return t.layer == &linear && !t.is_bias; });
  require(found != targets_.end(), ErrorKind::kInternal, "RatePenalty", linear.describe(),
          " has no step");
  const float step = std::exp(found->log_step.value().item());
  return frozen_ ? quantize::short_scale(step, options_.scale_bits) : step;
}

// From here on the steps are the file's; training goes on and makes up for the rounding.
void RatePenalty::freeze() {
  frozen_ = true;
  for (Target& target : targets_)
    if (!target.is_bias) target.log_step.mutable_value().fill(std::log(step_of(*target.layer)));
}

Tensor RatePenalty::levels(const Target& target) const {
  const Tensor& u = target.parameter->latent().value();
  if (!target.is_bias) return rounded_levels(u, options_.max_level);
  Tensor scaled = u.clone();
  const float unit = std::exp(target.log_step.value().item()), scale = bias_scale(target);
  for (float& v : scaled.mutable_values()) v *= scale > 0 ? unit / scale : 1;
  return rounded_levels(scaled, kMaxBiasLevel);
}

void RatePenalty::step(const training::StepInfo& info) {
  activations_.step(info);
  round_ = info.progress() >= options_.float_until;
  if (!frozen_ && info.progress() >= options_.freeze_at) freeze();
  if (step_optimizer_) step_optimizer_->clear_gradients();
}

void RatePenalty::after_step(const training::StepInfo& info, optim::Optimizer& optimizer) {
  if (!round_) return;
  const float progress = info.progress(), rate = options_.schedule(progress);
  if (step_optimizer_ && !frozen_)
    require(step_optimizer_->step(rate), ErrorKind::kDiverged, "RatePenalty",
            "the gradient of a step size is not finite; lower the learning rate");
  const float ramp = std::min(
      1.0f, (progress - options_.float_until) / (options_.ramp_until - options_.float_until));
  const auto squares = squares_of(optimizer, targets_.size());
  std::size_t next = 0;
  for (Target& target : targets_) {
    target.code.observe(levels(target));
    const float lambda = options_.lambda * (target.is_bias ? options_.bias_lambda : 1);
    shrink(target.parameter->latent().mutable_value(), *squares[next++],
           target.code.slopes(options_.slope_floor_bits),
           rate * options_.learning_rate * ramp * lambda);
  }
}

bool RatePenalty::visit_state(const training::StateVisitor& visitor) {
  for (Target& target : targets_) {
    visitor(target.name + ".log_step", target.log_step.mutable_value());
    visitor(target.name + ".shares", target.code.state());
  }
  if (step_optimizer_)
    step_optimizer_->visit_state(
        [&](const std::string& name, Tensor& state) { visitor("steps." + name, state); });
  return activations_.visit_state(visitor);
}

std::vector<RatePenalty::LayerCode> RatePenalty::code_length() const {
  std::vector<LayerCode> all;
  for (const Target& target : targets_) {
    const Tensor now = levels(target);
    LevelCode own(target.is_bias ? kMaxBiasLevel : options_.max_level);
    own.observe(now);
    all.push_back({target.name, own.total_bits(now),
                   std::ranges::count_if(now.values(), [](float v) { return v != 0; }),
                   now.elements(), target.is_bias ? bias_scale(target) : step_of(*target.layer)});
  }
  return all;
}

void RatePenalty::bake() {
  const NoGradient guard;
  round_ = true;
  if (!frozen_) freeze();
  activations_.bake();
  for (Target& target : targets_) {
    const Tensor value = target.parameter->effective().value();
    target.parameter->remove_transform("rate");
    target.parameter->latent().mutable_value().copy_from(value);
  }
}

}  // namespace espalier::rate
