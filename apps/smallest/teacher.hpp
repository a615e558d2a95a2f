// Whole networks, in float, of which small ones learn.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/smallest/networks.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

struct TeacherOptions {
  int epochs = 20;
  std::int64_t batch_size = 128;
  float learning_rate = 1e-3f, dropout = 0.5f;
  // Where it is given, training ends after a third of the epochs without a lower loss on it, with the
  // weights that had the lowest.
  const datasets::Dataset* validation = nullptr;
  std::uint64_t seed = 1;
  bool quiet = false;  // no progress
  // Which data `train` is. A note beside the file says it, with the network, the seed and the epochs; a
  // teacher of fewer epochs or of anything else is trained anew. Empty: whatever the file holds will
  // do.
  std::string identity = {};
};

// The kind at its whole widths, trained from nothing on `train` with shifts of a pixel and dropout,
// and kept in `file`; read from there the next time. Errors: as training::fit and load_parameters.
Sequential teacher(const NetworkKind& kind, const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train,
                   const TeacherOptions& options = {});

// `count` of them, of seeds 1 to `count`; the first in `stem`.safetensors, the others in
// `stem`-2.safetensors and so on.
std::vector<Sequential> teachers(const NetworkKind& kind, const std::filesystem::path& stem,
                                 const std::shared_ptr<const datasets::Dataset>& train, int count);

// The mean of their logits [N K] on images [N H W C]: an ensemble (Hinton, Vinyals & Dean 2015,
// section 3, average in the same way before the softmax).
Tensor mean_logits(std::vector<Sequential>& teachers, const Tensor& images);

Task task_of(const datasets::Dataset& data);

}  // namespace espalier::apps
