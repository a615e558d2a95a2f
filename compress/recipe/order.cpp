#include "compress/recipe/order.hpp"

#include "core/base/error.hpp"

namespace espalier::recipe {
namespace {

std::string at(std::size_t index) {
  return "/" + std::to_string(index);
}

bool is_binary(const Quantize& q) {
  return q.weights == quantize::WeightLevels::kBinary;
}

// Checks one stage against those before it.
class Checker {
 public:
  Checker(const std::string& file, std::size_t index) : file_(file), index_(index) {}

  template <class... Parts>
  void refuse_if(bool bad, const std::string& key, const Parts&... parts) const {
    if (bad)
      fail(ErrorKind::kCorrupt, file_ + ": " + at(index_) + (key.empty() ? "" : "/" + key),
           parts...);
  }

  void alone(const Stage& s) const {
    const int passes = s.prune.has_value() + s.units.has_value() + s.cluster.has_value() +
                       s.quantize.has_value() + s.rate.has_value() + s.float16.has_value() +
                       s.dynamic_range.has_value();
    const char* stores = s.float16 ? "float16" : "dynamic_range";
    refuse_if(s.stores() && passes > 1, stores,
              "says how weights are stored at the end; give it a stage of its own, the last");
    refuse_if(s.stores() && s.epochs > 0, "epochs", "nothing is trained in a stage with ", stores,
              "; wants 0");
    refuse_if(s.augment && s.epochs == 0, "augment",
              "changes the images of training, and this stage trains nothing; give it \"epochs\"");
    refuse_if(s.distill && s.epochs == 0, "distill",
              "is how a stage trains, and this one trains nothing; give it \"epochs\"");
    refuse_if(s.distill && (s.label_smoothing > 0 || s.balanced_classes),
              s.label_smoothing > 0 ? "label_smoothing" : "balanced_classes",
              "changes the loss of the labels, which distill takes as it is; leave one out");
    refuse_if(s.units && passes > 1, "units",
              "makes tensors smaller, which the passes beside it would miss; give it a stage of "
              "its own");
    refuse_if(s.rate && passes > 1, "rate",
              "rides alone: it makes zeros, levels and steps itself; leave the other passes out");
    refuse_if(s.rate && s.epochs == 0, "epochs",
              "rate is nothing without training; wants 1 or more");
    refuse_if(s.rate && (s.optimizer != Optimizer::kAdam || s.weight_decay > 0),
              s.optimizer != Optimizer::kAdam ? "optimizer" : "weight_decay",
              "rate moves weights by adam's squares, without decay; leave it out");
    refuse_if(s.early_stop > 0 && (passes > 0 || s.epochs == 0), "early_stop",
              "ends a stage of training alone: a pass does its last work in the stage's last step; "
              "stop early in a stage before");
    refuse_if(s.rate && s.watches(), "learning_schedule",
              "rate's learning rate follows progress alone; wants constant, cosine or step");
    refuse_if(s.nesterov && s.optimizer != Optimizer::kSgd, "nesterov",
              "is momentum of \"optimizer\": \"sgd\"");
    refuse_if(s.prune && s.cluster, "cluster",
              "wants zeros that stay as they are, and prune beside it moves them; prune in a stage "
              "before");
    refuse_if(s.cluster && s.quantize && s.quantize->per_channel, "quantize/per_channel",
              "beside cluster one scale a tensor keeps the clusters; wants false");
    refuse_if(s.cluster && s.quantize && s.quantize->weights != quantize::WeightLevels::kUniform,
              "quantize/weights", "beside cluster, which chooses the values; wants \"uniform\"");
    refuse_if(s.cluster && s.quantize && s.quantize->learned_step, "quantize/learned_step",
              "beside cluster, which trains the values; wants false");
    refuse_if(s.quantize && s.quantize->learned_step && s.epochs == 0, "quantize/learned_step",
              "steps are learned by training; wants \"epochs\" of 1 or more");
    refuse_if(s.quantize && s.quantize->learned_activation_step && s.epochs == 0,
              "quantize/learned_activation_step",
              "steps are learned by training; wants \"epochs\" of 1 or more");
    refuse_if(s.quantize && s.quantize->bias_correction && s.epochs > 0, "quantize/bias_correction",
              "is for calibration, for training moves the biases itself; wants \"epochs\": 0");
    refuse_if(s.prune && s.quantize && is_binary(*s.quantize), "quantize/weights",
              "binary weights have no 0, and prune makes zeros; use \"ternary\"");
  }

  void after(const Recipe& recipe) const {
    const Stage& s = recipe.stages[index_];
    bool zeros = false, clusters = false, cluster_biases = false;
    std::string where_zeros, where_clusters;
    for (std::size_t i = 0; i < index_; ++i) {
      const Stage& before = recipe.stages[i];
      const char* last = before.quantize ? "quantize" : before.rate ? "rate" : nullptr;
      refuse_if(last != nullptr && !s.stores(), "", s.name(), " comes after ", last, " in ", at(i),
                ", which has settled the integers of the file; put it before");
      refuse_if(before.stores() && !s.stores(), "", s.name(), " comes after ", before.name(),
                " in ", at(i), ", which says how weights are stored at the end; put it before");
      if (before.prune) zeros = true, where_zeros = at(i);
      if (before.cluster) clusters = true, where_clusters = at(i);
      if (before.cluster && before.cluster->select.which == Which::kWeightsAndBiases)
        cluster_biases = true;
    }
    const auto moves_clusters = [&](bool bad, const std::string& key, const char* remedy) {
      refuse_if(clusters && bad, key, "would move the weights off the clusters of ", where_clusters,
                "; ", remedy);
    };
    moves_clusters(s.prune.has_value(), "prune", "prune before: clusters keep zeros");
    moves_clusters(s.units.has_value(), "units", "take units out before");
    moves_clusters(s.rate.has_value(), "rate", "leave cluster out: rate makes few values itself");
    moves_clusters(s.name() == "train", "", "train before");
    moves_clusters(s.quantize && !s.cluster && s.epochs > 0, "quantize",
                   "let cluster ride beside it, or quantize without training: \"epochs\": 0");
    refuse_if(clusters && s.quantize && s.quantize->per_channel, "quantize/per_channel",
              "after cluster in ", where_clusters,
              " one scale a tensor keeps the clusters; wants false");
    refuse_if(clusters && s.dynamic_range && s.dynamic_range->per_channel,
              "dynamic_range/per_channel", "after cluster in ", where_clusters,
              " one scale a tensor keeps the clusters; wants false");
    refuse_if(cluster_biases && s.quantize && s.quantize->bias_correction,
              "quantize/bias_correction", "would move the biases off the clusters of ",
              where_clusters, "; leave it out, or cluster weights alone");
    refuse_if(clusters && s.quantize && s.quantize->weights != quantize::WeightLevels::kUniform,
              "quantize/weights", "after cluster in ", where_clusters,
              ", which chose the values; wants \"uniform\"");
    refuse_if(zeros && s.quantize && is_binary(*s.quantize), "quantize/weights",
              "binary weights have no 0, and prune in ", where_zeros,
              " made zeros; use \"ternary\"");
    refuse_if(zeros && s.rate, "rate", "gives weights that prune in ", where_zeros,
              " took a new chance: leave prune out, rate makes zeros itself");
    refuse_if(zeros && s.cluster && !s.cluster->preserve_sparsity, "cluster/preserve_sparsity",
              "the zeros of ", where_zeros, " stay; wants true");
  }

 private:
  const std::string& file_;
  std::size_t index_;
};

}  // namespace

void check_order(const Recipe& recipe, const std::string& file) {
  require(!recipe.stages.empty(), ErrorKind::kCorrupt, file, "wants at least one stage");
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    const Checker checker(file, i);
    checker.alone(recipe.stages[i]);
    checker.after(recipe);
  }
}

}  // namespace espalier::recipe
