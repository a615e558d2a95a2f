// How much each layer alone can lose (Han et al. 2015, "Learning both weights and connections",
// section 5, figure 6): every selected tensor is pruned by magnitude at one sparsity after the
// other, without training, while the rest of the model stays as it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compress/prune/allocation.hpp"
#include "compress/prune/selection.hpp"

namespace espalier::prune {

struct Sensitivity {
  double baseline = 0;            // the accuracy of the model as it is
  std::vector<float> sparsities;  // ascending
  struct Tensor {
    std::string name;                // "conv1.weight"
    std::vector<double> accuracies;  // one a sparsity
  };
  std::vector<Tensor> tensors;
};

struct SensitivityOptions {
  std::vector<float> sparsities = {0.1f, 0.2f, 0.3f, 0.4f,  0.5f, 0.6f,
                                   0.7f, 0.8f, 0.9f, 0.95f, 0.99f};
  Selection select = weights();
  bool quiet = false;
};

// accuracy: of the model, which it leaves as it is. The model is the same afterwards, bit for bit,
// also when `accuracy` throws. Errors: kUsage when no parameter is selected or a sparsity is not
// in [0, 1) or not above the one before.
Sensitivity sensitivity(Layer& model, const std::function<double(Layer&)>& accuracy,
                        const SensitivityOptions& options = {});

// For each tensor the largest sparsity up to which its accuracies stay within `most_drop` (a
// fraction) of the baseline; 0 where none does. Each was measured alone: together they lose more.
PerLayer choose_sparsities(const Sensitivity& sensitivity, double most_drop);

// Rows: tensors; columns: sparsities. For a terminal of this width; 0: no limit.
std::string table_of(const Sensitivity& sensitivity, std::size_t width = 0);

// One line: {"baseline": 0.98, "sparsities": [0.1, ...], "tensors": {"conv1.weight": [0.97, ...]}}.
std::string json_of(const Sensitivity& sensitivity);

}  // namespace espalier::prune
