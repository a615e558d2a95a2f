// Quantization-aware training (Jacob et al. 2018) and, without training, post-training
// quantization: weights are rounded to their grid in every forward pass, activations to the range
// that an observer saw; gradients pass straight through.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "compress/quantize/integer_network.hpp"
#include "compress/quantize/layer_forms.hpp"
#include "compress/quantize/observer.hpp"
#include "compress/quantize/step_training.hpp"
#include "compress/quantize/weight_rule.hpp"
#include "core/base/warn.hpp"
#include "datasets/dataset.hpp"
#include "optim/training/pass.hpp"

namespace espalier {
class Residual;
}

namespace espalier::quantize {

// Errors: kUsage when the model has no layer with an integer form, and what to do: ask before it is
// trained. Single layers without one stay in float (layer_forms.hpp).
void require_quantizable(const Sequential& model);

class QuantizationAware final : public training::Pass {
 public:
  struct Options {
    int weight_bits = 8;                            // 2 to 8
    std::map<std::string, int> layer_bits = {};     // of these layers, by name; the others as above
    std::vector<std::string> float_layers = {};     // these stay in float, by name
    WeightLevels weights = WeightLevels::kUniform;  // of layers without layer_bits
    bool per_channel = true;  // a scale for each output channel, or one for the tensor
    // Uniform levels: scales are trained, too (learned_step.hpp), by SGD with momentum 0.9 as in the
    // paper, until freeze_at.
    bool learned_step = false;
    float step_learning_rate = 1e-3f;  // > 0
    // The same of the activations that leave a layer with a relu directly behind it; what the others
    // yield is observed. Their steps are larger than those of weights, and begin too small where most
    // activations are 0: 0.1 was best of 0.001 to 1 on 6,000 synthetic digits at 2 bits.
    bool learned_activation_step = false;
    float activation_step_learning_rate = 0.1f;  // > 0
    // 2 to 7, of the activations that leave these layers, by name, or of the others. Fewer than 7
    // want a relu directly behind the layer. The image keeps 7.
    int activation_bits = 7;
    std::map<std::string, int> layer_activation_bits = {};
    float freeze_at = 0.75f;  // progress from which the ranges stay as they are, (0, 1]
    ObserverKind observer = ObserverKind::kMovingAverage;
    float round_from = 0;  // progress before which activations are observed, not rounded, [0, 1]
    int scale_bits = 23;   // of an activation scale's mantissa, 0 to 23 (short_scale)
    bool bias_correction = false;  // calibrate() takes rounding's mean shift out of the biases
    // For a pass that puts the weights on levels itself: the one scale of this layer's weights,
    // whose multiples they are. They are not rounded again, and weight_bits is not looked at.
    std::function<float(const Layer& linear)> given_scale = nullptr;
    // Hears of layers that stay in float without having been named.
    Warn warn = warn_on_standard_error;
  };
  explicit QuantizationAware(Options options);

  // A Sequential that require_quantizable() accepts. Batch norm behind a linear layer is folded into
  // it and leaves the model (fold_batch_norm.hpp). The input is images of 0..1, rounded to 0..127
  // unless the first layer stays in float. Layers that stay in float without having been named are
  // warnings.
  void attach(Layer& model) override;
  void step(const training::StepInfo& info) override;
  void after_step(const training::StepInfo& info, optim::Optimizer& optimizer) override;
  std::string wants_whole_batches() const override { return "quantization-aware training"; }
  // The observed ranges, the learned steps and their optimizer.
  bool visit_state(const training::StateVisitor& visitor) override;
  // Post-training: runs `images` of the data through the float model and observes; with
  // bias_correction then once a layer through the rounded one. The model is not changed otherwise.
  // Errors: kUsage with learned_activation_step, which wants training.
  void calibrate(const datasets::Dataset& data, std::int64_t images);
  // Rounds the weights for good and settles network(). The activations' fake quantization stays.
  void bake() override;
  // Errors: before bake().
  const IntegerNetwork& network() const;
  // The layers that stay in float, and why: known from attach() on.
  const std::vector<StaysFloat>& float_report() const { return forms_.report; }
  // The grid of the activations that enter this convolution or dense layer; none before an
  // observer saw any, or if the layer stays in float.
  std::optional<ActivationGrid> input_grid(const Layer& linear) const;

 private:
  enum class Mode { kObserving, kTraining, kFrozen, kCalibrating };
  // A convolution, dense layer, batch norm or residual, or one of unknown kind: what moves activations to
  // another grid.
  struct Stage {
    std::string name;
    Layer* layer;
    bool integer;                                  // takes levels; else stays in float
    bool relu;                                     // fused: the next layer is a relu
    std::shared_ptr<RangeObserver> input, output;  // none: the image, or floats
    WeightRule rule = {};                          // of convolution and dense layers
    Variable steps = {};                           // with learned steps
  };
  void put_on_levels(Stage& stage);
  bool pools_before_rounding(std::size_t linear, bool relu) const;
  void round_summands(Residual& sum, const std::shared_ptr<RangeObserver>& range);
  WeightRule rule_of(const std::string& layer) const;
  int activation_bits_of(const std::string& layer, bool relu) const;
  void observe(Layer& layer, const std::shared_ptr<RangeObserver>& range);
  ActivationGrid grid_of(const RangeObserver& range) const;
  IntegerLayer settle_floats(const Stage& stage);
  IntegerLayer settle(const Stage& stage);
  Options options_;
  std::shared_ptr<Mode> mode_;  // shared with the taps, which may outlive the pass
  Sequential* model_ = nullptr;
  LayerForms forms_;
  std::vector<Stage> stages_;
  StepTraining step_training_;
  std::optional<IntegerNetwork> network_;
};

}  // namespace espalier::quantize
