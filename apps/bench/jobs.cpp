#include "apps/bench/jobs.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "apps/bench/models.hpp"
#include "compress/format/c99/esp_decode.h"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/onednn/threads.hpp"
#include "core/ops/ops.hpp"
#include "optim/optimizer.hpp"
#include "optim/training/batch_parts.hpp"

namespace espalier::bench {
namespace {

// Batch number `which` of the digits.
Tensor images_for(const format::PackedModel& packed, std::int64_t batch, std::int64_t which = 0) {
  const auto& s = packed.input_shape;
  require(Shape({s[0], s[1], s[2]}) == digits().image_shape(), "bench", "wants a model of images ",
          digits().image_shape());
  require(1 <= batch && batch <= digits().size(), "bench", "wants a batch of 1 to ",
          digits().size(), " images, got ", batch);
  std::vector<std::int64_t> first(static_cast<std::size_t>(batch));
  std::iota(first.begin(), first.end(), which * batch);
  return datasets::collate(digits(), first).images;
}

struct Training {
  explicit Training(const std::string& name, const JobOptions& o)
      : model(training_model(name)), options(o) {
    require(1 <= o.batch && o.batch <= digits().size(), "bench", "wants a batch of 1 to ",
            digits().size(), " images, got ", o.batch);
    const std::int64_t whole = digits().size() / o.batch;
    datasets::for_each_batch(digits(), whole * o.batch, o.batch,
                             [&](const datasets::Batch& batch) { batches.push_back(batch); });
    std::vector<Variable> parameters;
    model.visit(
        {.parameter = [&](const std::string&, Parameter& p) { parameters.push_back(p.latent()); }});
    optimizer = std::make_unique<optim::Adam>(std::move(parameters), optim::Adam::Options{});
    if (o.parts == 1) return;
    const ThreadsInScope threads(o.threads);
    parts = std::make_unique<training::BatchParts>(model, cross_entropy, o.parts);
  }
  Training(const Training&) = delete;  // the parts borrow the model
  Training& operator=(const Training&) = delete;

  static Variable cross_entropy(const Variable& logits, const datasets::Batch& batch) {
    return ops::cross_entropy(logits, batch.labels);
  }

  float step() {
    const ThreadsInScope threads(options.threads);
    const kernels::PrecisionInScope precision(options.precision);
    const datasets::Batch& batch = batches[steps++ % batches.size()];
    const float loss = parts ? split(batch) : whole(batch);
    require(optimizer->step(), ErrorKind::kDiverged, "bench", "a gradient is not finite");
    return loss;
  }

  float whole(const datasets::Batch& batch) {
    const Variable logits = model(Variable(batch.images), {.training = true, .rng = &dropout});
    const Variable loss = cross_entropy(logits, batch);
    optimizer->clear_gradients();
    backward(loss);
    return loss.value().item();
  }

  float split(const datasets::Batch& batch) {
    optimizer->clear_gradients();
    return parts->run(batch, dropout).task;
  }

  Sequential model;
  JobOptions options;
  Rng dropout{1, "dropout"};
  std::vector<datasets::Batch> batches;
  std::unique_ptr<optim::Adam> optimizer;
  std::unique_ptr<training::BatchParts> parts;  // null: whole batches
  std::size_t steps = 0;
};

struct Inference {
  Inference(format::PackedModel packed, const JobOptions& o, runtime::Kernels kernels)
      : session(runtime::Model(std::move(packed)),
                {.batch = o.batch, .threads = o.threads, .kernels = kernels}) {
    const std::int64_t batches =
        std::max<std::int64_t>(1, std::min(kImages, digits().size()) / o.batch);
    for (std::int64_t i = 0; i < batches; ++i)
      images.push_back(images_for(session.model().packed(), o.batch, i));
  }
  // One after the other: kernels that skip zeros must not learn the one image by heart.
  std::span<const float> run() { return session.run(images[runs++ % images.size()]); }

  static constexpr std::int64_t kImages = 256;
  runtime::Session session;
  std::vector<Tensor> images;
  std::size_t runs = 0;
};

// A file of its own, removed with the job.
struct TemporaryFile {
  explicit TemporaryFile(const Bytes& bytes) {
    static int count = 0;
    path = std::filesystem::temp_directory_path() /
           ("espalier-bench-" + std::to_string(getpid()) + "-" + std::to_string(count++) + ".esp");
    write_file(path, bytes);
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::filesystem::path path;
};

double levels_of(const format::PackedModel& packed) {
  std::size_t levels = 0;
  for (const auto& layer : packed.layers) levels += layer.weight.levels.size();
  return static_cast<double>(levels);
}

// The arena that this file wants.
std::vector<std::uint8_t> arena_for(const Bytes& file) {
  std::vector<std::uint8_t> arena(1 << 20);
  esp_model model;
  const auto decode = [&] {
    return esp_decode(file.data(), file.size(), arena.data(), arena.size(), format::kMaxWeights,
                      &model);
  };
  esp_status status = decode();
  for (; status == ESP_ARENA; status = decode()) arena.resize(2 * model.arena_bytes);
  require(status == ESP_OK, "bench", "c99/esp_decode.c takes no file of this kind");
  return arena;
}

}  // namespace

Job training_job(const std::string& model, const JobOptions& options) {
  const auto training = std::make_shared<Training>(model, options);
  return {.suite = "train",
          .model = model,
          .variant = std::string(kernels::name_of(options.precision)) +
                     (options.parts == 1 ? "" : ", " + std::to_string(options.parts) + " parts"),
          .batch = options.batch,
          .items = static_cast<double>(options.batch),
          .unit = "images",
          .run = [training] { training->step(); },
          .check = [training] { return std::vector{training->step()}; }};
}

Job inference_job(const std::string& model, const std::string& variant, format::PackedModel packed,
                  const JobOptions& options, runtime::Kernels kernels) {
  const auto it = std::make_shared<Inference>(std::move(packed), options, kernels);
  return {.suite = "infer",
          .model = model,
          .variant = variant,
          .batch = options.batch,
          .items = static_cast<double>(options.batch),
          .unit = "images",
          .run = [it] { it->run(); },
          .check =
              [it] {
                const auto logits = it->session.run(it->images.front())
                                        .first(static_cast<std::size_t>(it->session.classes()));
                return std::vector(logits.begin(), logits.end());
              }};
}

Job loading_job(const std::string& model, const std::string& variant,
                const format::PackedModel& packed, const JobOptions& options) {
  return {.suite = "load",
          .model = model,
          .variant = variant,
          .batch = options.batch,
          .items = 1,
          .unit = "loads",
          .run = [file = std::make_shared<TemporaryFile>(format::write(packed)),
                  images = images_for(packed, options.batch), options] {
            runtime::Session session(runtime::Model::load(file->path),
                                     {.batch = options.batch, .threads = options.threads});
            session.run(images);
          }};
}

Job coding_job(const std::string& model, const std::string& coder,
               const format::PackedModel& packed) {
  Job job{.suite = "codec",
          .model = model,
          .variant = coder,
          .items = levels_of(packed),
          .unit = "levels",
          .run = {}};
  const auto file = std::make_shared<Bytes>(format::write(packed));
  if (coder == "write") {
    job.run = [packed] { format::write(packed); };
  } else if (coder == "read") {
    job.run = [file] { format::read(*file, "bench"); };
  } else if (coder == "read c99") {
    const auto arena = std::make_shared<std::vector<std::uint8_t>>(arena_for(*file));
    job.run = [file, arena] {
      esp_model decoded;
      const auto status = esp_decode(file->data(), file->size(), arena->data(), arena->size(),
                                     format::kMaxWeights, &decoded);
      require(status == ESP_OK, ErrorKind::kInternal, "bench", "decoded once, then not again");
    };
  } else {
    fail(ErrorKind::kUsage, "bench", "there is no coder ", coder);
  }
  return job;
}

}  // namespace espalier::bench
