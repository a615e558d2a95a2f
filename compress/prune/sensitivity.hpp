// How much each layer alone can lose (Han et al. 2015, "Learning both weights and connections",
// section 5, figure 6): every selected tensor is pruned by magnitude at one sparsity after the
// other, without training, while the rest of the model stays as it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compress/prune/allocation.hpp"
#include "compress/prune/selection.hpp"
#include "compress/prune/structure.hpp"
#include "datasets/dataset.hpp"
#include "layers/json_reader.hpp"

namespace espalier::prune {

struct Sensitivity {
  double baseline = 0;            // the accuracy of the model as it is
  std::vector<float> sparsities;  // ascending
  struct Tensor {
    std::string name;                // "conv1.weight"
    std::vector<double> accuracies;  // one a sparsity
    std::int64_t weights = 0;
  };
  std::vector<Tensor> tensors;
};

struct SensitivityOptions {
  std::vector<float> sparsities = {0.1f, 0.2f, 0.3f, 0.4f,  0.5f, 0.6f,
                                   0.7f, 0.8f, 0.9f, 0.95f, 0.99f};
  Selection select = weights();
  Structure structure = Elements{};  // or Blocks: NofM has one sparsity only
  // Where the accuracy is that of a data set: on so many of its images, at most all of them, drawn by
  // this seed.
  std::int64_t images = 2000;
  std::uint64_t seed = 1;
  bool quiet = false;
};

// accuracy: of the model, which it leaves as it is. The model is the same afterwards, bit for bit,
// also when `accuracy` throws. Errors: kUsage when no parameter is selected, a sparsity is not in
// [0, 1) or not above the one before, and for NofM.
Sensitivity sensitivity(Layer& model, const std::function<double(Layer&)>& accuracy,
                        const SensitivityOptions& options = {});

// The accuracy on images of a data set; of numbers to predict R2 in its place, at least 0, which is no better
// than their mean. Errors: also kUsage unless images >= 1, kInterrupted.
Sensitivity sensitivity(Layer& model, const datasets::Dataset& data,
                        const SensitivityOptions& options = {});

// For each tensor the largest sparsity up to which its accuracies stay within `most_drop` (a
// fraction) of the baseline; 0 where none does. Each was measured alone: together they lose more.
PerLayer choose_sparsities(const Sensitivity& sensitivity, double most_drop);

// A sparsity for each tensor so that `sparsity` of all weights together go, and each tensor alone
// would lose equally much accuracy; straight lines between what was measured. Where so many can go
// without any loss, each goes the same part of the way. Errors: kUsage for a sparsity outside [0, 1)
// or above the largest that was measured.
PerLayer share_by_sensitivity(const Sensitivity& sensitivity, double sparsity);

// Rows: tensors; columns: sparsities. For a terminal of this width; 0: no limit.
std::string table_of(const Sensitivity& sensitivity, std::size_t width = 0);

// {"baseline": 0.98, "sparsities": [0.1, ...], "tensors": {"conv1.weight": [0.97, ...]}}
Json json_of(const Sensitivity& sensitivity);

}  // namespace espalier::prune
