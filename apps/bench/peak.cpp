#include "apps/bench/peak.hpp"

#include <memory>
#include <numeric>
#include <utility>

#include "compress/runtime/session.hpp"
#include "core/base/clones.hpp"
#include "core/base/rng.hpp"
#include "core/kernels/gemm.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::bench {
namespace {

// Large enough for the best that the kernels reach, small enough for the second-level cache.
constexpr std::int64_t kSize = 256;

Tensor random(const Shape& shape) {
  Rng rng(1, "peak");
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.uniform(-1, 1);
  return t;
}

Job gemm_job(kernels::Precision precision, int threads) {
  const Tensor a = random({kSize, kSize}), b = random({kSize, kSize});
  return {.suite = "peak",
          .model = "matrix product",
          .variant = std::string(kernels::name_of(precision)),
          .batch = kSize,
          .items = static_cast<double>(kSize * kSize * kSize),
          .unit = "multiply-adds",
          .run = [a, b, precision, threads] {
            const ThreadsInScope scope(threads);
            const kernels::PrecisionInScope in(precision);
            kernels::onednn::gemm(a, b);
          }};
}

// As the runtime does it: levels of 8 bits, sums of 32. So many outputs that making levels of the input
// takes little of the time, so many inputs that making floats of the sums does.
Job int8_job(int threads) {
  constexpr std::int64_t kInputs = 1024, kOutputs = 512;
  format::PackedModel model;
  model.input_shape = {1, 1, kInputs};
  model.input = {1.0f / 127, 0};
  format::PackedLayer layer;
  layer.kind = format::LayerKind::kDense;
  layer.name = "dense";
  layer.weight.shape = {kOutputs, kInputs};
  layer.weight.bits = 8;
  layer.weight.scales = {0.002f};
  Rng rng(1, "peak");
  for (std::int64_t i = 0; i < kOutputs * kInputs; ++i)
    layer.weight.levels.push_back(static_cast<std::int8_t>(1 + rng.below(40)));
  layer.bias_levels.assign(kOutputs, 0);
  layer.output = {};
  model.layers = {layer};
  struct Product {
    Product(format::PackedModel packed, int threads)
        : images(random({kSize, 1, 1, kInputs})),
          model(std::move(packed)),
          session(model, {.batch = kSize, .threads = threads}) {}
    Tensor images;
    runtime::Model model;
    runtime::Session session;
  };
  const auto product = std::make_shared<Product>(std::move(model), threads);
  return {.suite = "peak",
          .model = "matrix product",
          .variant = "int8",
          .batch = kSize,
          .items = static_cast<double>(kSize * kOutputs * kInputs),
          .unit = "multiply-adds",
          .run = [product] { product->session.run(product->images); }};
}

// Integers, whose sum may be taken in any order: vectors.
ESPALIER_CLONES std::uint64_t total(const std::uint64_t* values, std::int64_t n) {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += values[i];
  return sum;
}

Job reading_job(std::int64_t kilobytes) {
  const auto values = std::make_shared<std::vector<std::uint64_t>>(kilobytes * 1024 / 8);
  std::iota(values->begin(), values->end(), 0u);
  const auto seen = std::make_shared<std::uint64_t>();  // so that no compiler leaves the sum out
  return {.suite = "peak",
          .model = "reading",
          .variant = std::to_string(kilobytes) + " kB",
          .batch = 1,
          .items = static_cast<double>(kilobytes * 1024),
          .unit = "bytes",
          .run = [values, seen] { *seen += total(values->data(), std::ssize(*values)); }};
}

}  // namespace

std::vector<Job> peak_jobs(int threads) {
  std::vector<Job> jobs{gemm_job(kernels::Precision::kFloat32, threads)};
  if (kernels::has_bf16()) jobs.push_back(gemm_job(kernels::Precision::kBf16, threads));
  jobs.push_back(int8_job(threads));
  for (const std::int64_t kilobytes : {16, 512, 4096, 65536})
    jobs.push_back(reading_job(kilobytes));
  return jobs;
}

}  // namespace espalier::bench
