// What is timed: a job does the same work each time that it is run, with everything that can be made
// beforehand made beforehand. Images lie ready as float32 of pixels / 255, in training as in
// inference; turning them into levels belongs to the run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/runtime/plan_options.hpp"
#include "core/kernels/precision.hpp"

namespace espalier::bench {

struct Job {
  std::string suite, model, variant;
  std::int64_t batch = 1;
  double items = 1;  // that one run is through with
  std::string unit;  // "images", "levels", "loads"
  std::function<void()> run;
  // Numbers that every contender comes to, whatever it rounds: the first image's logits, or the
  // loss of the first step. Of training and inference.
  std::function<std::vector<float>()> check = nullptr;
};

struct JobOptions {
  std::int64_t batch = 1;
  int threads = 1;
  int parts = 1;                                                // of training: as FitOptions::parts
  kernels::Precision precision = kernels::Precision::kFloat32;  // of training
};

// Forward, backward and Adam, over the digits' batches in turn.
Job training_job(const std::string& model, const JobOptions& options);
// A session's run with the first `batch` digits.
Job inference_job(const std::string& model, const std::string& variant, format::PackedModel packed,
                  const JobOptions& options, runtime::Kernels kernels = runtime::Kernels::kFixed);
// From the file's path to the first logits, in this process, which has done so before: what a fresh
// one takes more, espalier-bench-once tells.
Job loading_job(const std::string& model, const std::string& variant,
                const format::PackedModel& packed, const JobOptions& options);
// The whole file: `coder` is "write", "read" or "read c99". Errors: kUsage for another.
Job coding_job(const std::string& model, const std::string& coder,
               const format::PackedModel& packed);

}  // namespace espalier::bench
