// What the plan's choice of kernels is worth: whole models with random weights, oneDNN's kernels
// against ours, at each batch and share of zeros, single (1x1) or in blocks of outputs x inputs.
// Rounds are interleaved, so that a busy machine slows both, and each takes its least time.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "apps/bench/networks.hpp"
#include "apps/common/program.hpp"
#include "compress/runtime/session.hpp"
#include "core/onednn/isa.hpp"

using namespace espalier;
using namespace espalier::bench;
namespace {

struct Options {
  std::string network = "all";
  std::vector<std::int64_t> batches{1, 32};
  int rounds = 300;
  double seconds = 1;  // of one row
};

double run_us(runtime::Session& session, const Tensor& images) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  session.run(images);
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The least time of each session over interleaved rounds.
std::vector<double> least_us(std::vector<runtime::Session>& sessions, const Tensor& images,
                             const Options& options) {
  std::vector<double> least(sessions.size(), 1e300);
  double spent = 0;
  for (int round = 0; round < options.rounds && (round < 5 || spent < options.seconds * 1e6);
       ++round)
    for (std::size_t i = 0; i < sessions.size(); ++i)
      for (int again = 0; again < 3; ++again) {  // the first finds cold caches
        const double us = run_us(sessions[i], images);
        least[i] = std::min(least[i], us);
        spent += us;
      }
  return least;
}

// The plan's kernels of linear layers, in order: "blocks oneDNN ...".
std::string kernels_of(runtime::Session& session, const format::PackedModel& model) {
  std::string names;
  for (const auto& step : session.plan()) {
    if (step.layers == 0 || model.layers[step.first].weight.shape.empty()) continue;
    names += (names.empty() ? "" : " ") + std::string(step.kernel);
  }
  return names;
}

void row(const Network& network, const Zeros& zeros, std::int64_t batch, const Options& options) {
  const runtime::Model model(network.build(zeros));
  const auto& s = model.packed().input_shape;
  Tensor images({batch, s[0], s[1], s[2]});
  for (std::int64_t i = 0; i < images.elements(); ++i)
    images.mutable_data()[i] = static_cast<float>(i * 7 % 16) / 15;
  std::vector<runtime::Session> sessions;
  for (const auto kernels :
       {runtime::Kernels::kOneDnn, runtime::Kernels::kFixed, runtime::Kernels::kTimed})
    sessions.emplace_back(model, runtime::SessionOptions{.batch = batch, .kernels = kernels});
  const auto us = least_us(sessions, images, options);
  const std::string as =
      zeros.share == 0 ? "-" : std::to_string(zeros.outputs) + "x" + std::to_string(zeros.inputs);
  std::printf("%-10s %5lld %4.0f%% %-7s %9.2f %9.2f %9.2f %6.2fx %6.2fx  %s\n",
              network.name.c_str(), static_cast<long long>(batch), 100 * zeros.share, as.c_str(),
              us[0], us[1], us[2], us[0] / us[1], us[0] / us[2],
              kernels_of(sessions[2], model.packed()).c_str());
  std::fflush(stdout);
}

void print_table(const Options& options) {
  std::printf("instruction set: oneDNN %s, ours %s; one thread; us a run, the least of many\n",
              std::string(effective_isa()).c_str(), std::string(name_of(vector_isa())).c_str());
  std::printf("%-10s %5s %5s %-7s %9s %9s %9s %7s %7s  %s\n", "network", "batch", "zeros", "as",
              "oneDNN", "fixed", "timed", "fixed", "timed", "kernels when timed");
  for (const Network& network : networks()) {
    if (options.network != "all" && options.network != network.name) continue;
    for (const std::int64_t batch : options.batches) {
      row(network, {}, batch, options);
      for (const auto& [outputs, inputs] : {std::pair{1, 1}, {1, 4}, {16, 4}})
        for (const double share : {0.8, 0.9, 0.95})
          row(network, {.share = share, .outputs = outputs, .inputs = inputs}, batch, options);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times whole int8 models: oneDNN's kernels against the plan's choice");
  app.name("espalier-bench-inference");
  app.add_option("--network", options.network, "small, lenet5, lenet300, large or all")
      ->capture_default_str();
  app.add_option("--batch", options.batches, "Images a run")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Rounds at most")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Seconds a row at most")->capture_default_str();
  return apps::run_program(app, argc, argv, [&] { print_table(options); });
}
