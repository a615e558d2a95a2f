#include "apps/tutorial/tutorial.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>

#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/magnitude_pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "compress/runtime/model.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/conv2d.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {
namespace {

// TensorFlow Model Optimization's tutorial CNN: 20,410 parameters.
Sequential small_model(std::uint64_t seed) {
  Rng rng(seed, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 12, .kernel = 3}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 2028, .out = 10}, rng));
  return model;
}

// Calls visit(images, labels) on batches of the whole set.
template <class Visit>
void for_each_batch(const datasets::Dataset& data, Visit visit) {
  constexpr std::int64_t kBatch = 250;
  for (std::int64_t begin = 0; begin < data.size(); begin += kBatch) {
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min(kBatch, data.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const auto batch = datasets::collate(data, indices);
    visit(batch.images, batch.labels);
  }
}

// Writes the file, reads it back, runs it and compares it with what the trainer computes.
template <class TrainerLogits>
void finish(Stage& stage, const format::PackedModel& packed, Sequential& model,
            const datasets::Dataset& test, TrainerLogits trainer_logits) {
  write_file(stage.file, format::write(packed));
  stage.file_bytes = std::filesystem::file_size(stage.file);
  stage.raw_bytes = pack::raw_bytes(model);
  stage.deflate_bytes = pack::deflate_bytes(model);
  stage.sparsity = prune::model_sparsity(model);
  const auto runtime = runtime::Model::load(stage.file);
  std::int64_t right = 0, trainer_right = 0;
  const NoGradient guard;
  for_each_batch(test, [&](const Tensor& images, const std::vector<int>& labels) {
    const Tensor ours = runtime.run(images), wanted = trainer_logits(images);
    for (std::size_t i = 0; i < ours.values().size(); ++i)
      stage.differing_logits += ours.values()[i] != wanted.values()[i];
    const auto a = training::predictions(ours), b = training::predictions(wanted);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      right += a[i] == labels[i];
      trainer_right += b[i] == labels[i];
    }
  });
  stage.accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  stage.trainer_accuracy = static_cast<double>(trainer_right) / static_cast<double>(test.size());
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void narrate(const std::string& text) {
  std::cerr << text << '\n';
}

}  // namespace

TutorialData load_data(const TutorialOptions& options) {
  TutorialData data;
  if (auto mnist = datasets::load_mnist(options.data)) {
    data = {*mnist, "MNIST"};
  } else {
    data = {datasets::synthetic_digits({.train = 12000, .test = 2000}),
            "synthetic digits, not MNIST"};
    narrate(
        "MNIST was not found (--data, MNIST_DIR, ~/.cache/espalier/mnist).\n"
        "*** These are built-in synthetic digits, not MNIST. ***\n");
  }
  if (options.quick)
    data.digits.train = datasets::first(data.digits.train, data.digits.train->size() / 10);
  return data;
}

std::vector<Stage> run_tutorial(const TutorialOptions& options, const TutorialData& data) {
  using Clock = std::chrono::steady_clock;
  std::error_code failure;
  std::filesystem::create_directories(options.out, failure);
  require(!failure, ErrorKind::kIo, options.out.string(),
          "cannot create the folder: ", failure.message(), "; choose another with --out");
  const auto& test = *data.digits.test;
  const Shape input = test.image_shape();
  Rng rng(options.seed, "split");
  const auto split = datasets::split(data.digits.train, data.digits.train->size() / 10, rng);
  const datasets::Dataset& train = *split.others;
  std::vector<Stage> stages;
  const auto begin = [&](const char* name) {
    stages.push_back({});
    stages.back().name = name;
    stages.back().file = options.out / (std::string(name) + ".esp");
    return Clock::now();
  };

  narrate(
      "1. Train from scratch. A small network learns the digits: this is what we compare with.");
  auto start = begin("baseline");
  Sequential model = small_model(options.seed);
  training::fit(model, train,
                {.epochs = 4, .batch_size = 32, .seed = options.seed, .label = "baseline"});
  const auto float_logits = [&](const Tensor& x) { return model(Variable(x)).value(); };
  finish(stages.back(), pack::pack(model, input), model, test, float_logits);
  stages.back().seconds = seconds_since(start);

  narrate(
      "2. Prune while training goes on: the smallest weights become zero, the others make up for "
      "them.\n"
      "3. Write the pruned model: zeros cost almost nothing in the file.");
  start = begin("pruned");
  // Pruning is a shock: ten times the baseline's rate, falling to 0, lets the survivors move far
  // enough to make up for it, and half of the run is left to them. Chosen on the validation images,
  // where 1e-3 lost 1.0 points, 3e-3 0.1, 5e-3 and 1e-2 nothing (seed 1).
  prune::MagnitudePruner pruner(
      {.schedule = prune::polynomial_sparsity({.initial = 0.5f, .final = 0.8f, .end = 0.5f}),
       .frequency_steps = 20});
  training::fit(model, train,
                {.epochs = 4,
                 .batch_size = 128,
                 .learning_rate = 1e-2f,
                 .schedule = optim::cosine(),
                 .seed = options.seed + 1,
                 .label = "pruning"},
                {&pruner});
  pruner.bake();
  finish(stages.back(), pack::pack(model, input), model, test, float_logits);
  stages.back().seconds = seconds_since(start);

  const auto quantized_stage = [&](const char* name, bool train_on) {
    start = begin(name);
    Sequential copy = small_model(options.seed);
    copy_parameters(model, copy);
    prune::KeepZeros keep;
    quantize::QuantizationAware quantize({.weight_bits = options.weight_bits,
                                          .observer = train_on
                                                          ? quantize::ObserverKind::kMovingAverage
                                                          : quantize::ObserverKind::kMinMax});
    if (train_on) {
      training::fit(copy, train,
                    {.epochs = 2,
                     .batch_size = 128,
                     .learning_rate = 5e-4f,
                     .schedule = optim::cosine(),
                     .seed = options.seed + 2,
                     .label = name},
                    {&keep, &quantize});
    } else {
      keep.attach(copy);
      quantize.attach(copy);
      quantize.calibrate(train, std::min<std::int64_t>(1000, train.size()));
    }
    quantize.bake();
    keep.bake();
    finish(stages.back(), pack::pack(quantize.network(), input), copy, test,
           [&](const Tensor& x) { return quantize::evaluate(quantize.network(), x); });
    stages.back().seconds = seconds_since(start);
  };
  narrate(
      "4. Quantize: every weight and activation becomes a small integer; once without training, "
      "once\n"
      "   with training that feels the rounding.");
  quantized_stage("post_training", false);
  quantized_stage("quantized", true);
  narrate("5. Every file was read back and run by the runtime, which knows no training code.\n");
  return stages;
}

void print_table(const std::vector<Stage>& stages, const std::string& data_name) {
  std::cout << "Data: " << data_name << "\n\n"
            << pad_right("stage", 15) << pad_left("accuracy", 10) << pad_left("trainer", 10)
            << pad_left("sparsity", 10) << pad_left("file B", 10) << pad_left("DEFLATE B", 11)
            << pad_left("smaller*", 10) << pad_left("diff", 6) << pad_left("time", 8) << "\n";
  for (const Stage& s : stages)
    std::cout << pad_right(s.name, 15) << pad_left(percent(s.accuracy), 10)
              << pad_left(percent(s.trainer_accuracy), 10) << pad_left(percent(s.sparsity, 1), 10)
              << pad_left(with_commas(static_cast<std::int64_t>(s.file_bytes)), 10)
              << pad_left(with_commas(static_cast<std::int64_t>(s.deflate_bytes)), 11)
              << pad_left(fixed(static_cast<double>(stages[0].deflate_bytes) /
                                    static_cast<double>(s.file_bytes),
                                1) +
                              "x",
                          10)
              << pad_left(std::to_string(s.differing_logits), 6) << pad_left(duration(s.seconds), 8)
              << "\n";
  std::cout
      << "\n* DEFLATE of the baseline's float parameters, divided by the complete .esp file.\n"
         "diff: logits in which the runtime differs from the trainer.\n";
}

}  // namespace espalier::apps
