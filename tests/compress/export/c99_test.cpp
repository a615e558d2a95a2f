// The exported C99 file computes the reference executor's logits, bit for bit, whatever the
// compiler's flags.
#include "compress/export/c99.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;

TEST_CASE("C99: random models of every kind of layer, bit for bit") {
  const tests::Folder folder("c99_test");
  std::set<LayerKind> seen;
  int speaking = 0;
  for (std::uint64_t seed = 0; seed < 14; ++seed) {
    const PackedModel model = random_integers(seed);
    for (const PackedLayer& l : model.layers) seen.insert(l.kind);
    Rng rng(seed, "pixels");
    const Pixels pixels = pixels_of(rng, model, 20);
    const Logits want = wanted(model, pixels);
    CHECK_MESSAGE(differing(run_c99(folder.path, model, pixels), want) == 0, "model " << seed);
    speaking += std::set<float>(want.begin(), want.end()).size() > want.size() / 4;
  }
  CHECK(seen.size() == 7);
  CHECK(speaking >= 7);  // not saturated: logits tell images apart
}

TEST_CASE("C99: random models of floats, within the sums' rounding") {
  const tests::Folder folder("c99_floats_test");
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const PackedModel model = random_floats(seed);
    Rng rng(seed, "pixels");
    const Pixels pixels = pixels_of(rng, model, 20);
    const Logits got = run_c99(folder.path, model, pixels);
    CHECK_MESSAGE(difference(got, wanted(model, pixels)) < 1e-5, "model " << seed);
  }
}

TEST_CASE("C99: other languages, levels of optimization and fused multiply-adds change no bit") {
  const tests::Folder folder("c99_flags_test");
  const PackedModel model = format::samples::network(8, 0.4);
  Rng rng(1, "pixels");
  const Pixels pixels = pixels_of(rng, model, 200);
  const Logits want = wanted(model, pixels);
  std::vector<std::vector<std::string>> all = {
      {"-std=c99", "-O0"},
      {"-std=gnu99", "-O3"},
      {"-std=c11", "-Os", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("fma"))
    all.push_back({"-std=gnu11", "-O3", "-mfma", "-ffp-contract=fast"});
#endif
  for (const auto& flags : all)
    CHECK_MESSAGE(differing(run_c99(folder.path, model, pixels, {flags}), want) == 0, flags[0]);
}

TEST_CASE("C99: bit for bit on a Cortex-M4") {
  if (!has_cortex_m4()) {
    MESSAGE("skipped: install gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm");
    return;
  }
  const tests::Folder folder("cortex_m4_test");
  const PackedModel model = format::samples::network(8, 0.4);
  Rng rng(1, "pixels");
  const Pixels pixels = pixels_of(rng, model, 50);
  CHECK(differing(run_cortex_m4(folder.path, model, pixels), wanted(model, pixels)) == 0);
}

TEST_CASE("C99: what cannot be exported is refused, with the remedy") {
  const auto refuses = [](const PackedModel& model, const std::string& part) {
    try {
      c99(model);
      FAIL("exported");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
      CHECK_MESSAGE(tests::contains(error.what(), part), error.what());
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
}
