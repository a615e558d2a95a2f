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
