// Rate-penalised training: integer levels that are both accurate and cheap to code. Every forward
// pass computes with the integers that the file will hold; after every step of the optimizer each
// latent weight moves toward 0 by what a bit costs (after Oktay et al. 2020, "Scalable model
// compression by entropy penalized reparameterization", with a decoupled proximal step in place of
// a loss term). A weight that fell to zero goes on learning and may return: the named exception to
// "zeros stay zero".
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "compress/quantize/quantization_aware.hpp"
#include "compress/rate/level_code.hpp"
#include "optim/schedule.hpp"
#include "optim/training/pass.hpp"

namespace espalier::rate {

class RatePenalty final : public training::Pass {
 public:
  struct Options {
    float lambda = 1e-5f;  // what a bit costs, in nats of the mean cross-entropy, >= 0
    // As in FitOptions: the optimizer's rate, here in levels a step, and its schedule.
    float learning_rate = 0.02f;
    optim::Schedule schedule = optim::cosine();
    int max_level = 7;  // 1 to 127
    // First steps, as multiples of half of He's deviation, sqrt(2 / fan_in) / 2.
    float first_step = 3.5f, middle_step = 1, last_step = 3.5f;
    float step_learning_rate = 1e-3f;  // relative change of a step size; 0: they stay
    float bias_step = 0.1f;            // about one level of a bias, in real units, > 0
    float bias_lambda = 1;             // multiple of lambda
    float slope_floor_bits = 4;        // from level 0 to 1
    float float_until = 0.05f;         // progress until which nothing is rounded nor shrunk
    float ramp_until = 0.45f;          // where lambda has its full value
    float activations_from = 0.5f;     // progress from which activations are rounded
    float freeze_at = 0.8f;            // from which steps and activation ranges stay
    int scale_bits = 3;  // that the mantissas of steps, then, and of activation scales keep
  };
  explicit RatePenalty(Options options);
  RatePenalty(const RatePenalty&) = delete;  // the transforms point back
  RatePenalty& operator=(const RatePenalty&) = delete;

  // A Sequential that quantize::QuantizationAware takes. Divides the weights by their step: the
  // optimizer moves levels.
  void attach(Layer& model) override;
  void step(const training::StepInfo& info) override;
  void after_step(const training::StepInfo& info, optim::Optimizer& optimizer) override;
  std::string wants_whole_batches() const override { return "the rate penalty"; }
  // Steps, histograms, the steps' optimizer, the observed ranges.
  bool visit_state(const training::StateVisitor& visitor) override;
  // Writes step * level into the weights; settles network().
  void bake() override;

  const quantize::IntegerNetwork& network() const { return activations_.network(); }
  // Of the weights and biases as they stand, each tensor by its own histogram. Order: the layers'.
  struct LayerCode {
    std::string name;  // "conv1.weight"
    double bits = 0;
    std::int64_t nonzeros = 0, weights = 0;
    float step = 0;
  };
  std::vector<LayerCode> code_length() const;

 private:
  struct Target {
    std::string name;
    Layer* layer;
    Parameter* parameter;
    bool is_bias;
    Variable log_step;  // a weight's, learned; a bias's: of its unit, fixed
    LevelCode code;
  };
  void add(Layer& layer, const std::string& name, float multiple);
  Variable weight(const Target& target, const Variable& u) const;
  Variable bias(const Target& target, const Variable& u) const;
  void freeze();
  float step_of(const Layer& linear) const;
  float bias_scale(const Target& bias) const;  // what one level of a bias is worth; 0: unknown yet
  Tensor levels(const Target& target) const;

  Options options_;
  quantize::QuantizationAware activations_;
  std::deque<Target> targets_;  // transforms point into it
  std::unique_ptr<optim::Adam> step_optimizer_;
  bool round_ = false, frozen_ = false;
};

}  // namespace espalier::rate
