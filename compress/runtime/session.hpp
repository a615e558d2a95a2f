// One thread's way to run a shared Model: everything is made at construction, nothing in run().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compress/runtime/model.hpp"
#include "compress/runtime/plan_options.hpp"

namespace espalier::runtime {

enum class Executor {
  kPlan,       // oneDNN's kernels and ours; integers as the reference, bit for bit
  kReference,  // Model::run: plain, and allocating in every run
};

struct SessionOptions {
  Executor executor = Executor::kPlan;
  std::int64_t batch = 1;  // the most images in one run
  int threads = 1;         // of oneDNN's kernels, ours use one; see core/onednn/threads.hpp
  // Of integer layers. Fixed, so that what a program does, and how fast, is the same every time;
  // timing the candidates takes some milliseconds a layer.
  Kernels kernels = Kernels::kFixed;
};

class Plan;

// Made on one thread and used by one thread at a time.
class Session {
 public:
  static constexpr std::int64_t kChunk = 16;

  // Chooses kernels, rearranges weights, allocates every buffer. Keeps a reference to the model, which
  // must outlive it. Errors: kUsage for a batch outside of 1 to 65,536 or threads outside of 1 to 1024, for a
  // model whose weights went to another session.
  explicit Session(const Model& model, const SessionOptions& options = {});
  // For a model that this session alone runs, as in Session(Model::load(file)): it owns the model, and keeps
  // each weight once, as its kernel reads it, which for large layers is half of the memory. Where weights are
  // rearranged, model() has them no longer: Model::run and further sessions of it are refused (the reference
  // executor keeps all, and allows both). Errors: as above; the model is then as it was where options are wrong.
  explicit Session(Model&& model, const SessionOptions& options = {});
  Session(const Model&& model, const SessionOptions& options = {}) = delete;  // would outlive it
  ~Session();
  // A session that was moved from runs nothing: kUsage from all that would.
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Logits of images [n H W C], n from 0 to batch(), of pixels / 255: n rows of classes() values,
  // valid until the next run. A plan takes kChunk images at a time, so that what one layer writes
  // is still in the cache when the next reads it; the last chunk costs as much when it is not full.
  // Integer models: the same bits whatever the executor, batch, threads and instruction set.
  // Errors: kUsage when the images do not have the model's shape or are too many.
  std::span<const float> run(const Tensor& images);

  // The plan's steps, timed over `runs` runs, or as many, though at least 5, as `seconds` allow, of the
  // image [1 H W C], again for each of a batch: kernels that skip zeros take as long as it has of them.
  // None: grey. Errors: kUsage for the reference executor, for an image that is not the model's.
  std::vector<PlannedStep> plan(int runs = 0, double seconds = 1, const Tensor& image = {});

  const Model& model() const;
  std::int64_t batch() const { return options_.batch; }
  std::int64_t classes() const { return classes_; }

 private:
  void make(format::PackedModel* taken);

  std::unique_ptr<Model> owned_;  // none: shared. Steps point into it, so that it has one place
  const Model* model_;            // null: moved from
  SessionOptions options_;
  std::int64_t classes_ = 0;
  Tensor logits_;               // [batch K]
  std::unique_ptr<Plan> plan_;  // of one chunk
};

struct LatencyOptions {
  int warm_up = 20, runs = 200;
  double seconds = 1;  // stops early after this long, though not before 5 runs
};

// Median microseconds of one run with one image. Errors: kUsage unless the session's batch is 1.
double latency_us(Session& session, const LatencyOptions& options = {});

}  // namespace espalier::runtime
