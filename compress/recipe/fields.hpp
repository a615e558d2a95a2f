// Every key of a recipe, once: with its place, its limits and what it is. Reading, printing and the
// schema walk the same list.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compress/recipe/recipe.hpp"

namespace espalier::recipe {

struct Range {
  double min, max;
  bool above_min = false, below_max = false;  // the bound itself is not allowed
  bool holds(double v) const {
    return min <= v && v <= max && !(above_min && v == min) && !(below_max && v == max);
  }
};
constexpr Range kShare{0, 1}, kSparsity{.min = 0, .max = 1, .below_max = true},
    kPositive{.min = 0, .max = 1e6, .above_min = true}, kNotNegative{0, 1e6};

// A walker has: number(key, float&, Range, text), integer(key, T&, min, max, text),
// flag(key, bool&, text), choice(key, E&, names, text), required_text(key, string&, text),
// texts(key, vector<string>&, text),
// numbers(key, map<string, float>&, Range, text), integers(key, map<string, int>&, min, max, text).
template <class E>
using Names = std::vector<std::pair<std::string, E>>;

constexpr std::int64_t kMany = std::int64_t{1} << 40;
constexpr std::int64_t kMaxSeed = std::int64_t{1} << 53;  // beyond, JSON readers round

template <class Walker>
void fields(Walker& w, Select& s) {
  w.choice("select", s.which,
           Names<Which>{{"weights", Which::kWeights},
                        {"weights_and_biases", Which::kWeightsAndBiases},
                        {"convolution_weights", Which::kConvolutionWeights},
                        {"dense_weights", Which::kDenseWeights}},
           "Which kind of parameters");
  w.integer("min_values", s.min_values, 0, kMany, "Only parameters of at least so many values");
  w.texts("layers", s.layers,
          "Only these layers (\"conv1\") or parameters (\"conv1.weight\"); none: all");
}

template <class Walker>
void fields(Walker& w, Target& t) {
  w.number("sparsity", t.sparsity, kSparsity, "The share that is gone at the end");
  w.choice("schedule", t.schedule,
           Names<Curve>{{"polynomial", Curve::kPolynomial}, {"constant", Curve::kConstant}},
           "How the share grows; constant: all of it at begin");
  w.number("initial", t.initial, kSparsity, "Polynomial: the share at begin, up to sparsity");
  w.number("begin", t.begin, kShare, "Progress (0 to 1) at which pruning begins");
  w.number("end", t.end, kShare, "Polynomial: progress at which the share is reached, above begin");
  w.number("power", t.power, kPositive, "Polynomial: 3 prunes fast at first");
  w.integer("frequency_steps", t.frequency_steps, 0, kMany,
            "A new mask each so many steps; 0: each 100, in a run of fewer than 1000 steps each "
            "twentieth of it, and an end of 1 then comes at three quarters of the way from begin");
}

template <class Walker>
void fields(Walker& w, Prune& p) {
  fields(w, p.target);
  fields(w, p.select);
  w.choice("criterion", p.criterion,
           Names<prune::Criterion>{{"magnitude", prune::Criterion::kMagnitude},
                                   {"random", prune::Criterion::kRandom}},
           "Which weights go first");
  w.choice("structure", p.structure,
           Names<Form>{
               {"elements", Form::kElements}, {"blocks", Form::kBlocks}, {"n_of_m", Form::kNofM}},
           "What goes together");
  w.integer("block_outputs", p.blocks.outputs, 1, kMany, "Blocks: outputs");
  w.integer("block_inputs", p.blocks.inputs, 1, kMany, "Blocks: inputs");
  w.choice("block_pool", p.blocks.pool,
           Names<prune::Blocks::Pool>{{"mean", prune::Blocks::Pool::kMean},
                                      {"max", prune::Blocks::Pool::kMax}},
           "Blocks: what their weights' scores become");
  w.integer("keep", p.n_of_m.keep, 1, kMany, "n_of_m: weights that stay, at most `of`");
  w.integer("of", p.n_of_m.of, 1, kMany, "n_of_m: of so many inputs in a row");
  w.choice("allocation", p.allocation,
           Names<Sharing>{{"uniform", Sharing::kUniform},
                          {"erk", Sharing::kErk},
                          {"global", Sharing::kGlobal},
                          {"per_layer", Sharing::kPerLayer},
                          {"sensitivity", Sharing::kSensitivity}},
           "How zeros are shared among the tensors; sensitivity: so that each alone would lose "
           "equally much accuracy, as it is measured when the stage begins");
  w.numbers("sparsities", p.sparsities, kSparsity,
            "per_layer: the sparsity of these layers or parameters at the end");
  w.integer("sensitivity_images", p.sensitivity_images, 1, kMany,
            "sensitivity: measured on so many of the training images, at most those there are");
  w.choice("gradient", p.gradient,
           Names<prune::MaskGradient>{{"masked", prune::MaskGradient::kMasked},
                                      {"straight_through", prune::MaskGradient::kStraightThrough}},
           "What a masked weight learns");
  w.flag("clear_moments", p.clear_moments, "Drop the optimizer's moments of weights that go");
  w.integer("seed", p.seed, 0, kMaxSeed,
            "Of the random criterion, and of the images of sensitivity");
}

template <class Walker>
void fields(Walker& w, Units& u) {
  fields(w, u.target);
  fields(w, u.select);
  w.flag("global", u.global, "The smallest units of all layers together");
}

template <class Walker>
void fields(Walker& w, Cluster& c) {
  w.integer("clusters", c.clusters, 2, 254, "Values of a tensor");
  w.choice("init", c.init,
           Names<cluster::Init>{{"linear", cluster::Init::kLinear},
                                {"random", cluster::Init::kRandom},
                                {"density", cluster::Init::kDensity},
                                {"k_means_plus_plus", cluster::Init::kKMeansPlusPlus}},
           "Where the centroids begin");
  w.choice("gradient", c.gradient,
           Names<cluster::GradientRule>{{"sum", cluster::GradientRule::kSum},
                                        {"average", cluster::GradientRule::kAverage}},
           "What a centroid learns from its weights");
  w.flag("per_channel", c.per_channel, "So many values for each output channel");
  w.flag("preserve_sparsity", c.preserve_sparsity,
         "Zeros stay, and 0 is one of the values (default: true after prune)");
  w.number("bit_price", c.bit_price, kNotNegative,
           "What a bit of a weight costs, in mean squares of the weights: frequent values draw");
  w.number("learning_rate", c.learning_rate, kPositive, "Of the centroids (Adam)");
  fields(w, c.select);
  w.integer("seed", c.seed, 0, kMaxSeed, "Of the first centroids");
}

template <class Walker>
void fields(Walker& w, Quantize& q) {
  using Kind = quantize::ObserverKind;
  w.integer("weight_bits", q.weight_bits, 2, 8, "Bits of a weight");
  w.integers("layer_bits", q.layer_bits, 2, 8, "Bits of these layers' weights");
  w.texts("float_layers", q.float_layers, "These layers stay in float, by name");
  using Levels = quantize::WeightLevels;
  w.choice("weights", q.weights,
           Names<Levels>{{"uniform", Levels::kUniform},
                         {"ternary", Levels::kTernary},
                         {"binary", Levels::kBinary}},
           "Levels of layers without layer_bits: by weight_bits, or -1, 0, 1, or -1, 1");
  w.flag("per_channel", q.per_channel,
         "A scale for each output channel (default: false with cluster, beside it or before)");
  w.flag("learned_step", q.learned_step, "Uniform levels: the scales are trained, too (LSQ)");
  w.number("step_learning_rate", q.step_learning_rate, kPositive, "Of learned steps (SGD)");
  w.flag("learned_activation_step", q.learned_activation_step,
         "The scales of activations behind a relu are trained, too (LSQ); others are observed");
  w.number("activation_step_learning_rate", q.activation_step_learning_rate, kPositive,
           "Of learned steps of activations (SGD)");
  w.integer("activation_bits", q.activation_bits, 2, 7, "Bits of activations behind a relu");
  w.integers("layer_activation_bits", q.layer_activation_bits, 2, 7,
             "Bits of these layers' activations");
  w.choice(
      "observer", q.observer,
      Names<Kind>{{"min_max", Kind::kMinMax},
                  {"moving_average", Kind::kMovingAverage},
                  {"percentile", Kind::kPercentile},
                  {"squared_error", Kind::kSquaredError},
                  {"entropy", Kind::kEntropy}},
      "How the range of activations is found (default: moving_average; without epochs min_max)");
  w.number("freeze_at", q.freeze_at, {.min = 0, .max = 1, .above_min = true},
           "Progress from which ranges stay");
  w.number("round_from", q.round_from, kShare,
           "Progress before which activations are observed, not rounded");
  w.integer("scale_bits", q.scale_bits, 0, 23, "Of the mantissa of an activation's scale");
  w.integer("calibration_images", q.calibration_images, 1, kMany,
            "Without epochs: images whose activations are observed, at most those there are");
  w.flag("bias_correction", q.bias_correction,
         "Without epochs: take rounding's mean shift out of the biases");
}

template <class Walker>
void fields(Walker& w, Rate& r) {
  w.number("lambda", r.lambda, kNotNegative, "What a bit costs, in nats of the mean loss");
  w.integer("max_level", r.max_level, 1, 127, "Levels go from minus to plus this");
  w.number("first_step", r.first_step, kPositive, "First layer's step, in half He deviations");
  w.number("middle_step", r.middle_step, kPositive, "Middle layers' steps, likewise");
  w.number("last_step", r.last_step, kPositive, "Last layer's step, likewise");
  w.number("step_learning_rate", r.step_learning_rate, kNotNegative,
           "Relative change of a step; 0: steps stay");
  w.number("bias_step", r.bias_step, kPositive, "About one level of a bias, in real units");
  w.number("bias_lambda", r.bias_lambda, kNotNegative, "Multiple of lambda for biases");
  w.number("slope_floor_bits", r.slope_floor_bits, kNotNegative, "Least cost from level 0 to 1");
  w.number("float_until", r.float_until, kShare, "Progress until which nothing is rounded");
  w.number("ramp_until", r.ramp_until, kShare, "Progress at which lambda has its full value");
  w.number("activations_from", r.activations_from, kShare,
           "Progress from which activations are rounded");
  w.number("freeze_at", r.freeze_at, {.min = 0, .max = 1, .above_min = true},
           "Progress from which steps and ranges stay");
  w.integer("scale_bits", r.scale_bits, 0, 23, "Of the mantissas of steps and scales");
}

template <class Walker>
void fields(Walker& w, Float16& f) {
  w.texts("keep", f.keep, "These layers stay float32, by name");
}

template <class Walker>
void fields(Walker& w, DynamicRange& d) {
  w.integer("bits", d.bits, 2, 8, "Bits of a weight");
  w.flag("per_channel", d.per_channel,
         "A scale for each output channel (default: true; after cluster false)");
  w.texts("keep", d.keep, "These layers stay float32, by name");
}

template <class Walker>
void fields(Walker& w, Augment& a) {
  w.number("flip", a.flip, kShare, "Mirrored left to right: this share of the images");
  w.integer("shift", a.shift, 0, 4096, "Moved by up to so many pixels along each axis");
  w.number("rotate", a.rotate, {0, 180}, "Turned by up to so many degrees");
  w.number("scale_smallest", a.scale_smallest, {.min = 0, .max = 1, .above_min = true},
           "Drawn by a factor from here");
  w.number("scale_largest", a.scale_largest, {1, 100}, "to here");
  w.number("crop", a.crop, {.min = 0, .max = 1, .above_min = true},
           "A window of at least this share of each side, resized");
  w.number("noise", a.noise, {0, 1}, "Deviation of normal noise");
  w.integer("cutout", a.cutout, 0, 4096, "Side of a square that is set to 0, in pixels");
}

template <class Walker>
void fields(Walker& w, Distill& d) {
  w.required_text("teacher", d.teacher,
                  "The .safetensors file of a trained network, as train --weights writes it");
  w.number("temperature", d.temperature, kPositive,
           "Divides both networks' logits: softer answers");
  w.number("weight", d.weight, kShare,
           "Of the teacher's part of the loss; the labels have the rest");
}

// A stage's own keys; its passes are objects of these names beside them.
template <class Walker>
void fields(Walker& w, Stage& s) {
  w.integer("epochs", s.epochs, 0, 1'000'000,
            "Of training; 0: at once, without any (default: 1; prune and units 4, cluster and "
            "quantize 2, rate 100, float16 and dynamic_range 0)");
  w.integer("batch_size", s.batch_size, 1, 1 << 20, "Images a step");
  w.number("learning_rate", s.learning_rate, kPositive,
           "At its peak (default: 0.001; prune and units 0.005, cluster and quantize "
           "0.0005, rate 0.05)");
  w.choice("learning_schedule", s.schedule,
           Names<LearningSchedule>{{"constant", LearningSchedule::kConstant},
                                   {"cosine", LearningSchedule::kCosine},
                                   {"step", LearningSchedule::kStep},
                                   {"plateau", LearningSchedule::kPlateau}},
           "The learning rate over the stage; step: a tenth from half of it on, a hundredth from "
           "three quarters on; plateau: lower where the validation loss falls no more");
  w.number("warm_up", s.warm_up, kSparsity, "Share of the stage in which it rises from 0");
  w.integer("plateau_epochs", s.plateau_epochs, 1, 1'000'000,
            "Of plateau: epochs without a lower validation loss before the learning rate drops");
  w.number("plateau_factor", s.plateau_factor,
           {.min = 0, .max = 1, .above_min = true, .below_max = true},
           "Of plateau: by this factor");
  w.integer("early_stop", s.early_stop, 0, 1'000'000,
            "Ends the stage after so many epochs without a lower validation loss, with the weights "
            "that had the lowest; 0: never");
  w.number(
      "validation", s.validation, {.min = 0, .max = 1, .above_min = true, .below_max = true},
      "Of plateau and early_stop: share of the training images that is set apart, drawn by the "
      "run's seed, the same in each stage that does so");
  w.choice("optimizer", s.optimizer,
           Names<Optimizer>{{"adam", Optimizer::kAdam}, {"sgd", Optimizer::kSgd}},
           "What moves the weights");
  w.number("weight_decay", s.weight_decay, kNotNegative, "Of adam beside the gradient (AdamW)");
  w.number("momentum", s.momentum, kSparsity, "Of sgd");
  w.flag("nesterov", s.nesterov, "Of sgd: momentum that looks ahead");
  w.number("label_smoothing", s.label_smoothing, kSparsity,
           "Share of a label's target that all classes get");
  w.flag("balanced_classes", s.balanced_classes,
         "Each class has the same say, however many images it has");
}

// Calls use(key, pass, text) for each pass.
template <class Use>
void passes(Stage& s, Use use) {
  use("prune", s.prune, "Single weights, blocks or n of m become zeros that stay");
  use("units", s.units, "Whole filters and neurons go, and tensors shrink; alone in its stage");
  use("cluster", s.cluster, "Weights share few values");
  use("quantize", s.quantize, "Weights and activations become integers; nothing is trained after");
  use("rate", s.rate,
      "Training with a price on bits; alone in its stage, nothing is trained after");
  use("float16", s.float16, "Weights of 16 bits, without training; alone in its stage, at the end");
  use("dynamic_range", s.dynamic_range,
      "Weights as integers beside float activations, without training; alone, at the end");
  use("augment", s.augment, "Random changes to the images of this stage's training");
  use("distill", s.distill, "This stage's training also learns from a teacher's answers");
}

}  // namespace espalier::recipe
