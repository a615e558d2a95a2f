// Times a training step (forward, backward, optimizer) of a tutorial model on synthetic data:
// median and fastest step in milliseconds, the share of each part, and what a step costs in page
// faults and fresh buffers once it is warm (both should be 0).
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "apps/common/program.hpp"
#include "apps/common/words.hpp"
#include "core/base/median.hpp"
#include "core/ops/ops.hpp"
#include "core/tensor/buffer.hpp"
#include "layers/tutorial_models.hpp"
#include "optim/optimizer.hpp"

using namespace espalier;
namespace {

long minor_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

void time_steps(const std::string& name, int batch, int threads, int steps) {
  if (batch <= 0) batch = name == "small" ? 32 : 128;

  Rng dropout(1, "dropout"), pixels(1, "pixels");
  Sequential model = name == "small" ? small_model(1) : large_model(1);
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

}  // namespace

int main(int argc, char** argv) {
  std::string name = "small";
  int batch = 0, threads = 1, steps = 50;
  CLI::App app("Times a training step on synthetic data");
  app.name("espalier-bench-training");
  app.add_option("--model", name, "small or large")
      ->check(apps::one_of("model", {"small", "large"}))
      ->capture_default_str();
  app.add_option("--batch", batch, "Images a step (default: 32 for small, 128 for large)");
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--steps", steps)->check(CLI::Range(1, 100000))->capture_default_str();
  app.footer("Example: espalier-bench-training --model large --threads 2");
  return apps::run_program(app, argc, argv, [&] {
    apps::use_threads(threads, argv);
    time_steps(name, batch, threads, steps);
  });
}
