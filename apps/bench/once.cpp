// A fresh process that loads a model, runs it once and says what that took: the runtime alone is
// linked, as in a program that only runs models.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

#include "apps/bench/machine.hpp"
#include "apps/common/program.hpp"
#include "compress/runtime/session.hpp"

using namespace espalier;
namespace {

void load_and_run(const std::string& file, std::int64_t batch, bool lean) {
  const auto before_kib = bench::peak_resident_kib();
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  auto model = runtime::Model::load(file);
  const auto s = model.packed().input_shape;
  Tensor images({batch, s[0], s[1], s[2]});
  for (std::int64_t i = 0; i < images.elements(); ++i)
    images.mutable_data()[i] = static_cast<float>(i % 16) / 15;
  runtime::Session session(
      std::move(model),
      {.batch = batch, .kernels = lean ? runtime::Kernels::kLean : runtime::Kernels::kFixed});
  session.run(images);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  std::printf(
      "{\"seconds\": %.9f, \"cpu_seconds\": %.6f, \"start_kib\": %lld, \"peak_kib\": %lld}\n",
      took.count(), cpu, static_cast<long long>(before_kib),
      static_cast<long long>(bench::peak_resident_kib()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads a model, runs it once; says the seconds and the peak of resident memory");
  app.name("espalier-bench-once");
  std::string file;
  std::int64_t batch = 1;
  app.add_option("FILE", file, "An .esp file")->required();
  app.add_option("--batch", batch, "Images of the run")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  bool lean = false;
  app.add_flag("--lean", lean, "With the least memory (Kernels::kLean)");
  app.footer("Example: espalier-bench-once espalier-out/quantized.esp");
  return apps::run_program(app, argc, argv, [&] { load_and_run(file, batch, lean); });
}
