// Times a training step (forward, backward, optimizer) of a tutorial model on synthetic data:
// median and fastest step in milliseconds, the share of each part, and what a step costs in page
// faults and fresh buffers once it is warm (both should be 0).
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "core/onednn/threads.hpp"
#include "core/ops/ops.hpp"
#include "core/tensor/buffer.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"
#include "optim/optimizer.hpp"

using namespace espalier;
namespace {

Sequential small_model(Rng& rng) {
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 12, .kernel = 3}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 2028, .out = 10}, rng));
  return model;
}

Sequential large_model(Rng& rng) {
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 32, .kernel = 5, .padding = 2}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("norm1", BatchNorm({.channels = 32}))
      .add("conv2", Conv2d({.in = 32, .out = 64, .kernel = 5, .padding = 2}, rng))
      .add("relu2", Relu())
      .add("pool2", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 3136, .out = 1024}, rng))
      .add("relu3", Relu())
      .add("dropout", Dropout(0.4f))
      .add("dense2", Dense({.in = 1024, .out = 10}, rng));
  return model;
}

double median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

long minor_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

}  // namespace

int main(int argc, char** argv) {
  std::string name = "small";
  int batch = 0, threads = 1, steps = 50;
  CLI::App app("Times a training step on synthetic data");
  app.add_option("--model", name)->check(CLI::IsMember({"small", "large"}));
  app.add_option("--batch", batch, "default: 32 for small, 128 for large");
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  app.add_option("--steps", steps)->check(CLI::Range(1, 100000));
  CLI11_PARSE(app, argc, argv);
  if (batch <= 0) batch = name == "small" ? 32 : 128;
  set_threads(threads);

  Rng rng(1, "init"), dropout(1, "dropout"), pixels(1, "pixels");
  Sequential model = name == "small" ? small_model(rng) : large_model(rng);
  Tensor images({batch, 28, 28, 1});
  for (float& v : images.mutable_values()) v = pixels.uniform();
  std::vector<int> labels;
  for (int i = 0; i < batch; ++i) labels.push_back(i % 10);
  std::vector<Variable> parameters;
  model.visit(
      {.parameter = [&](const std::string&, Parameter& p) { parameters.push_back(p.latent()); }});
  optim::Adam optimizer(parameters, {});

  using Clock = std::chrono::steady_clock;
  const auto ms = [](Clock::time_point a, Clock::time_point b) {
    return std::chrono::duration<double, std::milli>(b - a).count();
  };
  std::vector<double> whole, forward, back, update;
  for (auto* times : {&whole, &forward, &back, &update})
    times->reserve(static_cast<std::size_t>(steps));
  long faults = 0;
  BufferPoolCounts before{};
  constexpr int kWarmUp = 5;
  for (int step = 0; step < kWarmUp + steps; ++step) {
    if (step == kWarmUp) {
      faults = minor_faults();
      before = buffer_pool_counts();
    }
    const auto t0 = Clock::now();
    const Variable loss =
        ops::cross_entropy(model(Variable(images), {.training = true, .rng = &dropout}), labels);
    const auto t1 = Clock::now();
    optimizer.clear_gradients();
    backward(loss);
    const auto t2 = Clock::now();
    optimizer.step();
    const auto t3 = Clock::now();
    if (step < kWarmUp) continue;
    whole.push_back(ms(t0, t3));
    forward.push_back(ms(t0, t1));
    back.push_back(ms(t1, t2));
    update.push_back(ms(t2, t3));
  }
  const auto fresh = buffer_pool_counts().fresh - before.fresh;
  std::printf("%s, batch %d, threads %d: median %.2f ms, fastest %.2f ms a step\n", name.c_str(),
              batch, threads, median(whole), *std::ranges::min_element(whole));
  std::printf("  forward %.2f  backward %.2f  optimizer %.2f ms\n", median(forward), median(back),
              median(update));
  std::printf("  page faults %.2f  fresh buffers %.2f a step\n",
              static_cast<double>(minor_faults() - faults) / steps,
              static_cast<double>(fresh) / steps);
}
