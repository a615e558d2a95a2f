// A packed model as a list of bound steps for one batch size: the oneDNN executor.
#pragma once

#include <span>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/runtime/onednn/steps.hpp"

namespace espalier::runtime {

class Plan {
 public:
  // Errors: those of stages().
  Plan(const format::PackedModel& model, std::int64_t batch);

  // Logits of `batch` images; those beyond `pixels` are of what was there before. Allocates
  // nothing.
  std::span<const float> run(std::span<const float> pixels);

 private:
  const format::PackedModel& model_;
  onednn::Workspace workspace_;
  Tensor slots_[2];  // bytes; each step reads one and writes the other, or works in place
  onednn::Activation input_, logits_;
  std::vector<onednn::Step> steps_;
};

}  // namespace espalier::runtime
