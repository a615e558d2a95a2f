#include "compress/prune/magnitude_pruner.hpp"

#include <cmath>
#include <utility>

#include "compress/prune/mask.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::prune {
namespace {

// w -> w * mask.   dw = dy * mask, or dy itself when it goes straight through.
Parameter::Transform masked_by(const Tensor& mask, MaskGradient gradient) {
  if (gradient == MaskGradient::kMasked)
    return [mask](const Variable& w) { return ops::multiply(w, Variable(mask)); };
  return [mask](const Variable& w) {
    return record("mask", kernels::multiply(w.value(), mask), {w},
                  [](const BackwardContext& ctx) { return Gradients{ctx.gradient()}; });
  };
}

void apply(Parameter& parameter, const Tensor& mask, const std::string& name,
           const char* transform) {
  const auto w = parameter.latent().mutable_value().mutable_values();
  const auto m = mask.values();
  for (std::size_t i = 0; i < w.size(); ++i) w[i] *= m[i];
  parameter.remove_transform(transform);
  const double wanted = sparsity_of(mask), got = sparsity_of(parameter.latent().value());
  require(got >= wanted, ErrorKind::kInternal, name, "should hold ", wanted, " zeros, holds ", got);
}

}  // namespace

MagnitudePruner::MagnitudePruner(Options options) : options_(std::move(options)) {
  require(options_.schedule != nullptr, "MagnitudePruner", "wants a schedule");
  require(options_.frequency_steps >= 1, "MagnitudePruner",
          "wants a frequency of at least one step, got ", options_.frequency_steps);
}

void MagnitudePruner::attach(Layer& model) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!options_.select(name, p)) return;
    targets_.push_back({name, &p, Tensor::full(p.latent().shape(), 1)});
    p.add_transform("prune", masked_by(targets_.back().mask, options_.gradient));
  }});
  require(!targets_.empty(), "MagnitudePruner", "no parameter of the model was selected");
}

void MagnitudePruner::step(const training::StepInfo& info) {
  if (info.last()) final_ = options_.schedule(info.progress());
  if (!chooses_at(info)) return;
  const float sparsity = options_.schedule(info.progress());
  for (auto& target : targets_)
    target.mask.copy_from(magnitude_mask(target.parameter->latent().value(), sparsity));
}

bool MagnitudePruner::chooses_at(const training::StepInfo& info) const {
  const auto wanted_at = [&](std::int64_t step) {
    return options_.schedule(training::StepInfo{step, info.total_steps}.progress());
  };
  if (info.step % options_.frequency_steps == 0) return true;
  const float wanted = wanted_at(info.step);
  const bool begins = wanted > 0 && wanted_at(info.step - 1) == 0;
  const std::int64_t before = info.step - info.step % options_.frequency_steps;
  return begins || (info.last() && wanted != wanted_at(before));
}

void MagnitudePruner::after_step(const training::StepInfo& info, optim::Optimizer& optimizer) {
  if (!options_.clear_moments || !chooses_at(info)) return;
  for (const auto& target : targets_)
    optimizer.clear_state(target.parameter->latent(), target.mask);
}

bool MagnitudePruner::visit_state(const training::StateVisitor& visitor) {
  for (auto& target : targets_) visitor(target.name + ".mask", target.mask);
  return true;
}

bool KeepZeros::visit_state(const training::StateVisitor& visitor) {
  for (auto& target : targets_) visitor(target.name + ".mask", target.mask);
  return true;
}

void MagnitudePruner::bake() {
  for (const auto& target : targets_) {  // after a whole run: the schedule's end, to the weight
    const auto n = static_cast<double>(target.mask.elements());
    const double zeros = sparsity_of(target.mask) * n;
    require(!final_ || std::llround(zeros) == std::llround(double{*final_} * n),
            ErrorKind::kInternal, target.name, "should end with ", *final_, " zeros of ", n,
            ", has ", zeros);
  }
  for (const auto& [name, parameter, mask] : targets_) apply(*parameter, mask, name, "prune");
  targets_.clear();
}

void KeepZeros::attach(Layer& model) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!select_(name, p)) return;
    targets_.push_back({name, &p, nonzero_mask(p.latent().value())});
    p.add_transform("keep_zeros", masked_by(targets_.back().mask, MaskGradient::kMasked));
  }});
}

void KeepZeros::bake() {
  for (const auto& [name, parameter, mask] : targets_) apply(*parameter, mask, name, "keep_zeros");
  targets_.clear();
}

double model_sparsity(Layer& model, const Selection& select) {
  double zeros = 0, all = 0;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (!select(name, p)) return;
    const NoGradient guard;
    const Tensor value = p.effective().value();
    zeros += sparsity_of(value) * static_cast<double>(value.elements());
    all += static_cast<double>(value.elements());
  }});
  return all > 0 ? zeros / all : 0;
}

}  // namespace espalier::prune
