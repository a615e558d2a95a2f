// A recipe is a list of stages, each some epochs of training with the passes that ride in them:
//
//   [{"prune": {"sparsity": 0.8}, "epochs": 4}, {"quantize": {"weight_bits": 8}, "epochs": 2}]
//
// This is its meaning as plain values; RECIPES.md is the page, recipe.schema.json the schema.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compress/cluster/weight_clustering.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"

namespace espalier::recipe {

enum class Curve { kPolynomial, kConstant };
enum class Which { kWeights, kWeightsAndBiases, kConvolutionWeights, kDenseWeights };
enum class Form { kElements, kBlocks, kNofM };
enum class Sharing { kUniform, kErk, kGlobal, kPerLayer, kSensitivity };
enum class LearningSchedule { kConstant, kCosine, kStep, kPlateau };
enum class Optimizer { kAdam, kSgd };

// Parameters: of a kind, of at least so many values, and of these layers or names (none: any).
struct Select {
  Which which = Which::kWeights;
  std::int64_t min_values = 0;
  std::vector<std::string> layers = {};
};

// How sparse, and when (prune/sparsity_schedule.hpp).
struct Target {
  float sparsity = 0.8f;
  Curve schedule = Curve::kPolynomial;
  float initial = 0, begin = 0, end = 1, power = 3;  // constant: `begin` alone
  // 0: by the run's length (for_run).
  std::int64_t frequency_steps = 0;

  // With frequency_steps above 0. Left open, it is 100; in a run of fewer than 1000 steps a twentieth of
  // them, and then an end of 1 comes a quarter of the way from begin earlier, so that the last quarter
  // is left to make up for what the last mask took.
  Target for_run(std::int64_t total_steps) const;
};

// The other values are those of the passes' Options.
struct Prune {
  Target target = {};
  Select select = {};
  prune::Criterion criterion = prune::Criterion::kMagnitude;
  Form structure = Form::kElements;
  prune::Blocks blocks = {};
  prune::NofM n_of_m = {};
  Sharing allocation = Sharing::kUniform;
  // Of Sharing::kPerLayer; of kSensitivity once that was measured, when its stage begins.
  std::map<std::string, float> sparsities = {};
  std::int64_t sensitivity_images = 2000;  // of kSensitivity; at most those there are
  prune::MaskGradient gradient = prune::MaskGradient::kMasked;
  bool clear_moments = false;
  std::uint64_t seed = 1;
};

// Whole filters and neurons; afterwards the tensors are smaller.
struct Units {
  Target target = {.sparsity = 0.5f};
  Select select = {};
  bool global = false;
};

struct Cluster {
  int clusters = 16;
  cluster::Init init = cluster::Init::kKMeansPlusPlus;
  cluster::GradientRule gradient = cluster::GradientRule::kSum;
  bool per_channel = false;
  bool preserve_sparsity = false;
  float bit_price = 0;
  float learning_rate = 1e-4f;
  Select select = {};
  std::uint64_t seed = 1;
};

struct Quantize {
  int weight_bits = 8;
  std::map<std::string, int> layer_bits = {};
  std::vector<std::string> float_layers = {};
  quantize::WeightLevels weights = quantize::WeightLevels::kUniform;
  bool per_channel = true;
  bool learned_step = false;
  float step_learning_rate = 1e-3f;
  bool learned_activation_step = false;
  float activation_step_learning_rate = 0.1f;
  int activation_bits = 7;
  std::map<std::string, int> layer_activation_bits = {};
  quantize::ObserverKind observer = quantize::ObserverKind::kMovingAverage;
  float freeze_at = 0.75f, round_from = 0;
  int scale_bits = 23;
  std::int64_t calibration_images = 1000;  // of a stage without epochs; at most those there are
  bool bias_correction = false;            // of a stage without epochs
};

// rate::RatePenalty, whose learning rate and schedule are the stage's.
struct Rate {
  float lambda = 1e-5f;
  int max_level = 7;
  float first_step = 3.5f, middle_step = 1, last_step = 3.5f;
  float step_learning_rate = 1e-3f, bias_step = 0.1f, bias_lambda = 1, slope_floor_bits = 4;
  float float_until = 0.05f, ramp_until = 0.45f, activations_from = 0.5f, freeze_at = 0.8f;
  int scale_bits = 3;
};

// Each weight as 16 bits; without data, at the end (pack/weight_types.hpp).
struct Float16 {
  std::vector<std::string> keep = {};
};

// Weights as levels beside float activations, likewise.
struct DynamicRange {
  int bits = 8;
  bool per_channel = true;
  std::vector<std::string> keep = {};
};

// Random changes to the images of a stage's training, in this order (datasets/augmentation.hpp); at
// its default each is left out.
struct Augment {
  float flip = 0;          // share of the images
  std::int64_t shift = 0;  // pixels
  float rotate = 0;        // degrees
  float scale_smallest = 1, scale_largest = 1;
  float crop = 1;           // the smallest window, of each side
  float noise = 0;          // deviation
  std::int64_t cutout = 0;  // pixels of its side
};

// Training that also learns from a teacher's answers (optim/training/distillation.hpp).
struct Distill {
  std::string teacher;  // a file of a network and its weights (layers/network_file.hpp); required
  float temperature = 3;
  float weight = 0.5f;  // of the teacher's part; the labels have the rest
};

// Passes attach in the order of these members: a mask comes before clusters, these before levels.
struct Stage {
  int epochs = 1;  // 0: at once, without training
  std::int64_t batch_size = 128;
  float learning_rate = 1e-3f;
  LearningSchedule schedule = LearningSchedule::kCosine;
  float warm_up = 0;  // share of the stage in which the learning rate rises from 0
  // Plateau: the learning rate drops by the factor after so many epochs without a lower validation
  // loss. early_stop: training ends after so many, with the best weights; 0: never.
  int plateau_epochs = 3;
  float plateau_factor = 0.1f;
  int early_stop = 0;
  float validation = 0.1f;  // share of the training images, set apart where either wants it
  Optimizer optimizer = Optimizer::kAdam;
  float weight_decay = 0;  // of Adam decoupled (AdamW)
  float momentum = 0.9f;   // of SGD
  bool nesterov = false;
  float label_smoothing = 0;
  bool balanced_classes = false;  // each class has the same say, however many images it has
  std::optional<Prune> prune = {};
  std::optional<Units> units = {};
  std::optional<Cluster> cluster = {};
  std::optional<Quantize> quantize = {};
  std::optional<Rate> rate = {};
  std::optional<Float16> float16 = {};
  std::optional<DynamicRange> dynamic_range = {};
  std::optional<Augment> augment = {};
  std::optional<Distill> distill = {};
  std::string place = "";  // "recipe.json: /0", for errors; empty of a stage that C++ made

  bool watches() const { return early_stop > 0 || schedule == LearningSchedule::kPlateau; }
  // Types of stored weights: nothing is trained.
  bool stores() const { return float16 || dynamic_range; }
  std::string name() const;  // "prune", "cluster + quantize", "train"
};

struct Recipe {
  std::vector<Stage> stages;
  // Whether a stage before number `index` made zeros that from then on stay.
  bool keeps_zeros(std::size_t index) const;
  // Whether batch norm must be folded into the layers before it ahead of this stage: the first that
  // clusters, if quantize comes with it or later. Folded after it, each channel would have its own
  // multiple of the clusters.
  bool folds_batch_norm(std::size_t index) const;
};

// What was left out is filled in by what stands beside it: a pass's own epochs and learning rate,
// and what suits the passes before. `file` names the text in errors. Limits: 1 MB, 64 stages.
// Errors (kCorrupt): "file: /0/prune/sparsity: wants ..., got ..."; orders as check_order().
Recipe parse_recipe(std::string_view text, const std::string& file);
// Errors: also those of read_file.
Recipe load_recipe(const std::filesystem::path& path);

// The recipe in full, every default written out: parses to an equal one.
std::string format_recipe(const Recipe& recipe);

// The JSON Schema (draft 2020-12) of recipes, as recipe.schema.json holds it.
std::string recipe_schema();

}  // namespace espalier::recipe
