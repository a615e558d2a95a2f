// The exported C99 file computes the reference executor's logits, bit for bit, whatever the
// compiler's flags.
#include "compress/export/c99.hpp"

#include <doctest/doctest.h>

#include <set>

#include "compress/export/arena.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;

TEST_CASE("C99: random models of every kind of layer, bit for bit") {
  const tests::Folder folder("c99_test");
  std::set<LayerKind> seen;
  int pooled = 0;
  for (const Sample& s : samples(18, Numbers::kIntegers)) {
    for (const PackedLayer& l : s.model.layers) seen.insert(l.kind);
    const Network network = network_of(s.model);
    for (const Move& m : arena_of(network).moves)
      pooled += m.pool && m.step->out[0] % 2 && m.step->out[1] % 2;
    CHECK_MESSAGE(differing(run_c99(folder.path, s.model, s.pixels), s.want) == 0,
                  "model " << s.seed);
  }
  CHECK(seen.size() == 9);
  CHECK(pooled >= 3);  // convolutions that a pool's windows do not cover whole
}

TEST_CASE("C99: random models of floats, within the sums' rounding") {
  const tests::Folder folder("c99_floats_test");
  for (const Sample& s : samples(8, Numbers::kFloats))
    CHECK_MESSAGE(difference(run_c99(folder.path, s.model, s.pixels), s.want) < 1e-5,
                  "model " << s.seed);
}

namespace {

// A machine and a compiler with fused multiply-adds, which round once where INTEGERS.md rounds twice.
bool fuses() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("fma");
#else
  return false;
#endif
}
const std::vector<std::string> kFused = {"-std=gnu11", "-O3", "-mfma", "-ffp-contract=fast"};

}  // namespace

TEST_CASE("C99: other languages, levels of optimization and fused multiply-adds change no bit") {
  const tests::Folder folder("c99_flags_test");
  std::vector<std::vector<std::string>> all = {
      {"-std=c99", "-O0"},
      {"-std=gnu99", "-O3"},
      {"-std=c11", "-Os", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"}};
  if (fuses())
    all.push_back(kFused);
  else
    MESSAGE("skipped: fused multiply-adds, which this machine lacks");
  for (const Sample& s : samples(4, Numbers::kIntegers, 100))
    for (const auto& flags : all)
      CHECK_MESSAGE(differing(run_c99(folder.path, s.model, s.pixels, {flags}), s.want) == 0,
                    "model " << s.seed << " with " << flags[0] << " " << flags[1]);
}

// Products and sums whose second rounding decides the level: fused, they become 1 3 31 45.
TEST_CASE(
    "C99: the product of a batch norm is rounded before its sum, whatever the compiler likes") {
  const tests::Folder folder("c99_fused_test");
  PackedModel model = runtime::model_of({1, 1, 4}, {1.0f / 127, 0});
  PackedLayer norm;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier = {0.9595124f, 0.8512031f, 1.3078579f, 0.9130667f};
  norm.offset = {-9.054637f, -36.506546f, -66.28148f, -68.63334f};
  norm.output = {1, 0};
  model.layers = {norm, runtime::reveal(4)};
  const auto levels = pixel_levels(model);
  Pixels pixels;
  for (const int level : {11, 47, 74, 125})
    pixels.push_back(static_cast<std::uint8_t>(std::ranges::find(levels, level) - levels.begin()));
  const Logits want = {2, 4, 30, 46};
  CHECK(wanted(model, pixels) == want);
  CHECK(run_c99(folder.path, model, pixels) == want);
  if (!fuses()) {
    MESSAGE("skipped: fused multiply-adds, which this machine lacks");
    return;
  }
  CHECK(run_c99(folder.path, model, pixels, {kFused}) == want);
}

TEST_CASE("C99: -ffast-math, which may drop any rounding, is refused") {
  const tests::Folder folder("c99_fast_math_test");
  const PackedModel model = format::samples::network(8, 0.4);
  Rng rng(1, "pixels");
  CHECK_THROWS_WITH_AS(
      run_c99(folder.path, model, pixels_of(rng, model, 1), {{"-std=c99", "-O2", "-ffast-math"}}),
      doctest::Contains("compile this file without -ffast-math"), Error);
}

TEST_CASE("C99: bit for bit on a Cortex-M4") {
  if (!has_cortex_m4()) {
    MESSAGE("skipped: install gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm");
    return;
  }
  const tests::Folder folder("cortex_m4_test");
  for (const Sample& s : samples(3, Numbers::kIntegers, 50))
    CHECK_MESSAGE(differing(run_cortex_m4(folder.path, s.model, s.pixels), s.want) == 0,
                  "model " << s.seed);
}

TEST_CASE("C99: dynamic range, 16-bit and clustered weights are floats of 32 bits") {
  const tests::Folder folder("c99_widened_test");
  for (const Sample& s : samples(3, Numbers::kDynamicRange))
    CHECK_MESSAGE(difference(run_c99(folder.path, s.model, s.pixels), s.want) < 1e-5,
                  "model " << s.seed);
}

TEST_CASE("C99: biases of 0 may have any shift, and a logit's -0 stays") {
  const tests::Folder folder("c99_zeros_test");
  PackedModel model = runtime::model_of({1, 1, 4}, {1e-30f, 0});
  PackedLayer dense;
  dense.weight = {{2, 4}, 8, {}, {1, 2, 3, 4, -1, -2, -3, -4}, {1e-30f}};
  dense.bias_levels = {0, 0}, dense.bias_shift = 31, dense.relu = true;
  model.layers = {dense};
  const Pixels pixels = {255, 255, 255, 255};
  const Logits want = wanted(model, pixels);
  CHECK(std::signbit(want[1]));
  const Compiler strict{{"-std=c99", "-fsanitize=undefined", "-fno-sanitize-recover=all"}};
  CHECK(differing(run_c99(folder.path, model, pixels, strict), want) == 0);
}

TEST_CASE("C99: what cannot be exported is refused, with the remedy") {
  const auto refuses = [](const PackedModel& model, const std::string& part) {
    try {
      c99(model);
      FAIL("exported");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
      CHECK_MESSAGE(tests::contains(error.what(), part), std::string(error.what()));
    }
  };
  PackedModel levels = format::samples::network(4, 0.5);
  levels.layers.pop_back();
  refuses(levels, "ends in levels");
  PackedModel mixed = format::samples::network(4, 0.5);
  mixed.layers.front().weight = format::samples::network(32, 0.5).layers.front().weight;
  mixed.layers.front().bias_levels.clear();
  refuses(mixed, "all floats or all integers");
  PackedModel behind = format::samples::network(4, 0.5);
  behind.layers.push_back(behind.layers[4]);
  refuses(behind, "only flatten may follow");
  PackedModel padded = format::samples::network(4, 0.5);
  padded.layers.front().pad_left = 2;
  refuses(padded, "pads by as much");
  PackedModel unnamed = format::samples::network(32, 0.5);
  unnamed.layers.resize(2);
  unnamed.layers[1].pad_left = 2;
  refuses(unnamed, "layer 2 pads by as much");
  PackedModel overflow = format::samples::network(4, 0.5);
  overflow.layers.front().weight.scales[3] = 3e38f, overflow.layers.front().output.scale = 1e-9f;
  refuses(overflow, "layer 'conv1', channel 3: the scales");
  PackedModel large = runtime::model_of({1, 1, 4097}, {});
  PackedLayer dense;
  dense.weight.shape = {1024, 4097};
  dense.weight.values.assign(1024 * 4097, 1.0f);
  large.layers = {dense};
  refuses(large, "no more than 4194304; export it as onnx");
}
