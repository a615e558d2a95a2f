// A packed model as a list of bound steps for one batch size: kernels chosen, weights packed,
// primitives made once.
#pragma once

#include <span>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/onednn/steps.hpp"
#include "compress/runtime/plan_options.hpp"
#include "compress/runtime/sparse/steps.hpp"

namespace espalier::runtime {

class Plan {
 public:
  // threads: those that oneDNN's kernels may use (core/onednn/threads.hpp). `taken`: that same model, where
  // nobody but this plan runs it; of its weights those alone stay there that a kernel reads where they lie.
  // Errors: those of stages().
  Plan(const format::PackedModel& model, std::int64_t batch, Kernels kernels, int threads,
       format::PackedModel* taken = nullptr);
  Plan(const Plan&) = delete;  // steps point into it

  // Logits of `batch` images; those beyond `pixels` are of what was there before. Allocates
  // nothing.
  std::span<const float> run(std::span<const float> pixels);

  // What was chosen, the input's step first. `runs` > 0: each with its median time over as many
  // runs of the whole plan, or fewer, though at least 5, if these take longer than `seconds`; each
  // image of a run is `image`, of pixels / 255.
  std::vector<PlannedStep> describe(int runs, double seconds, std::span<const float> image);

 private:
  struct Bound {
    Step run;
    PlannedStep facts;
  };
  // Where the walk through the layers stands: the next layer, its input, and whether that lies at
  // the arena's end.
  struct Place {
    std::size_t layer = 0;
    Activation x;
    bool at_end = false;
  };
  struct Piece {
    std::vector<Bound> steps;
    Place end;
    std::int64_t made = 0;  // bytes that kernels of ours allocated
    bool in_place = false;  // steps read weights where they lie in the model
  };

  Activation activation(std::size_t stage, bool at_end);
  Bound input_step(const Activation& to);
  Activation input_of(const Place& at);
  Piece layer_by_layer(Place at, std::size_t count);
  Piece fused(const sparse::Kernel& kernel, const sparse::Fused& layers, const Place& at);
  // Where inputs are 0 these alone, else `otherwise`.
  Piece active(const sparse::Fused& layers, const Place& at, double most, Piece otherwise);
  // Of `own` kernels and oneDNN's.
  Piece fastest(Kernels kernels, const std::vector<const sparse::Kernel*>& own,
                const sparse::Fused& layers, const Place& at);
  // Whether one layer's lines for active inputs are to be the only copy of its weights.
  bool keeps_lines_alone(Kernels kernels, const sparse::Fused& layers, const Activation& x,
                         const Piece& chosen) const;
  Piece choose(Kernels kernels, int threads, const Place& at);

  const format::PackedModel& model_;
  format::PackedModel* taken_;
  std::int64_t batch_;
  std::vector<Stage> stages_;
  bool exact_;
  onednn::Workspace workspace_;
  // Bytes. A chain of layers has two activations alive at a time: one lies at the start, the next at
  // the end, so that this part of the arena is as large as the largest such pair. Stages that others
  // than the next layer read lie behind it, at kept_places_.
  Tensor arena_;
  std::int64_t arena_bytes_ = 0;
  std::vector<bool> kept_;
  format::KeptPlaces kept_places_;
  std::span<const float> pixels_;  // of this run
  Activation logits_;
  std::vector<Bound> steps_;  // the input's first
  std::int64_t made_ = 0;     // by kernels of ours, of kMostOfPlan
};

}  // namespace espalier::runtime
