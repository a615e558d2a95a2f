#include "apps/bench/suites.hpp"

#include <utility>

#include "apps/bench/models.hpp"
#include "apps/bench/peak.hpp"
#include "compress/format/writer.hpp"

namespace espalier::bench {
namespace {

using Batches = std::vector<std::int64_t>;

// `add` for each model and batch; `usual`: a model's batches where none are asked for.
template <class Usual, class Add>
std::vector<Job> for_each(const SuiteOptions& options, Usual usual, Add add) {
  std::vector<Job> jobs;
  for (const std::string& model : options.models.empty() ? model_names() : options.models)
    for (const std::int64_t batch : options.batches.empty() ? usual(model) : options.batches)
      add(jobs, model, JobOptions{.batch = batch, .threads = options.threads});
  return jobs;
}

std::vector<Job> train(const SuiteOptions& options) {
  return for_each(
      options, [](const std::string& model) { return Batches{training_batch(model)}; },
      [&](auto& jobs, const auto& model, JobOptions o) {
        for (const int parts : options.parts) {
          o.parts = parts;
          o.precision = kernels::Precision::kFloat32;
          jobs.push_back(training_job(model, o));
          if (!kernels::has_bf16()) continue;
          o.precision = kernels::Precision::kBf16;
          jobs.push_back(training_job(model, o));
        }
      });
}

std::vector<Job> infer(const SuiteOptions& options) {
  return for_each(
      options,
      [](const std::string&) {
        return Batches{1, 32, 256};
      },
      [](auto& jobs, const auto& model, const JobOptions& o) {
        jobs.push_back(inference_job(model, "int8", trained_model(model).int8, o));
        jobs.push_back(inference_job(model, "float32", trained_model(model).float32, o));
      });
}

std::vector<Job> sparse(const SuiteOptions& options) {
  return for_each(
      options,
      [](const std::string&) {
        return Batches{1, 32};
      },
      [](auto& jobs, const auto& model, const JobOptions& o) {
        for (Job& job : sparse_jobs(model, trained_model(model).int8, o))
          jobs.push_back(std::move(job));
      });
}

std::vector<Job> load(const SuiteOptions& options) {
  return for_each(
      options, [](const std::string&) { return Batches{1}; },
      [](auto& jobs, const auto& model, const JobOptions& o) {
        const auto& int8 = trained_model(model).int8;
        jobs.push_back(loading_job(model, "90 % zeros", pruned(int8, {.share = 0.9}), o));
        jobs.push_back(loading_job(model, "int8", int8, o));
        jobs.push_back(loading_job(model, "float32", trained_model(model).float32, o));
      });
}

std::vector<Job> codec(const SuiteOptions& options) {
  return for_each(
      options, [](const std::string&) { return Batches{1}; },
      [](auto& jobs, const auto& model, const JobOptions&) {
        const auto& dense = trained_model(model).int8;
        const auto zeros = pruned(dense, {.share = 0.9});
        for (const char* coder : {"write", "read"}) {
          jobs.push_back(coding_job(model, coder, dense));
          jobs.push_back(coding_job(model, coder, zeros));
          jobs.back().variant += " 90 % zeros";
        }
        if (format::version_for(dense) == 1)  // the C99 decoder takes no palettes
          jobs.push_back(coding_job(model, "read c99", dense));
      });
}

}  // namespace

const std::vector<Suite>& suites() {
  static const std::vector<Suite> all = {
      {"train", "a step: forward, backward, Adam; in bf16, too, where the processor has it", train},
      {"infer", "a run of int8 and of float32 models", infer},
      {"sparse", "int8 runs: dense, 90 % zeros in blocks of 16 x 4, 95 % single zeros", sparse},
      {"load", "from a file to the first logits", load},
      {"peak", "the roof: matrix products and memory",
       [](const SuiteOptions& options) { return peak_jobs(options.threads); }},
      {"codec", "writing and reading .esp files, dense and of 90 % zeros", codec},
  };
  return all;
}

std::vector<Job> sparse_jobs(const std::string& model, format::PackedModel dense,
                             const JobOptions& options) {
  std::vector<Job> jobs;
  const auto add = [&](const char* variant, format::PackedModel packed) {
    jobs.push_back(inference_job(model, variant, std::move(packed), options));
    jobs.back().suite = "sparse";
  };
  add("90 % 16x4", pruned(dense, {.share = 0.9, .outputs = 16, .inputs = 4}));
  add("95 % single", pruned(dense, {.share = 0.95}));
  add("dense", std::move(dense));
  return jobs;
}

std::string Result::name() const {
  return suite + " " + model + " " + variant + ", batch " + std::to_string(batch);
}

Result result_of(const Job& job, const std::vector<double>& seconds) {
  std::vector<double> us;
  for (const double s : seconds) us.push_back(s * 1e6);
  Result r{.suite = job.suite,
           .model = job.model,
           .variant = job.variant,
           .batch = job.batch,
           .us = statistics_of(us),
           .unit = job.unit};
  r.items_per_second = job.items / r.us.median * 1e6;
  return r;
}

}  // namespace espalier::bench
