// Depthwise convolutions in C99 and JavaScript: the reference executor's logits, bit for bit.
#include <doctest/doctest.h>

#include "compress/export/arena.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"

using namespace espalier;
using namespace espalier::exports;

namespace {

std::vector<Sample> separable_samples() {
  std::vector<Sample> all;
  for (const auto& [bits, density] : {std::pair{8, 1.0}, {4, 0.5}, {2, 0.7}})
    all.push_back(sample_of(separable(static_cast<std::uint64_t>(bits), bits, density)));
  // The image itself, channel by channel, and logits of a depthwise layer, with and without relu.
  for (const bool relu : {false, true}) {
    Rng rng(9, "lone");
    PackedModel lone = runtime::model_of({5, 4, 3}, {1.0f / 127, 30});
    PackedLayer first;
    first.kind = LayerKind::kDepthwiseConv2d;
    first.kernel_h = first.kernel_w = 3, first.pad_left = 2, first.pad_bottom = 1;
    runtime::set_levels(first, rng, {3, 3, 3, 1}, 8, runtime::Weights::kRandom);
    spread(first, rng, lone.input, {});
    PackedLayer last = first;
    last.output = {}, last.relu = relu;
    last.kernel_w = 4, last.pad_bottom = last.pad_left = 0;
    last.weight = {}, last.bias_levels.clear();
    runtime::set_levels(last, rng, {3, 3, 4, 1}, 8, runtime::Weights::kRandom);
    lone.layers = {first, last};
    all.push_back(sample_of(lone));
  }
  for (const Sample& s : all) REQUIRE(distinct_rows(s.want, 20) >= 15);
  return all;
}

}  // namespace

TEST_CASE("C99: depthwise convolutions, dense and thin, pooled as they are written") {
  const tests::Folder folder("c99_depthwise_test");
  const Compiler strict{
      {"-std=c99", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"}};
  int pooled = 0;
  for (const Sample& s : separable_samples()) {
    CHECK(differing(run_c99(folder.path, s.model, s.pixels), s.want) == 0);
    CHECK(differing(run_c99(folder.path, s.model, s.pixels, strict), s.want) == 0);
    const Network network = network_of(s.model);
    for (const Move& m : arena_of(network).moves)
      pooled += m.pool && m.step->layer->kind == LayerKind::kDepthwiseConv2d;
  }
  CHECK(pooled == 3);
  const Sample floats = sample_of(floats_of(separable(3, 8, 1), Numbers::kFloats));
  CHECK(difference(run_c99(folder.path, floats.model, floats.pixels), floats.want) < 1e-5);
}

TEST_CASE("C99: a depthwise network bit for bit on a Cortex-M4") {
  if (!has_cortex_m4()) {
    MESSAGE("skipped: install gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm");
    return;
  }
  const tests::Folder folder("depthwise_m4_test");
  const Sample s = sample_of(separable(5, 4, 0.5));
  CHECK(differing(run_cortex_m4(folder.path, s.model, s.pixels), s.want) == 0);
}

TEST_CASE("JavaScript: depthwise convolutions, bit for bit") {
  if (!installed("node")) {
    MESSAGE("skipped: install nodejs");
    return;
  }
  const tests::Folder folder("js_depthwise_test");
  for (const Sample& s : separable_samples())
    CHECK(differing(run_js(folder.path, s.model, s.pixels, s.seed % 2), s.want) == 0);
}

TEST_CASE("programs of models without a depthwise convolution carry nothing of it") {
  PackedModel model = separable(1, 8, 1);
  CHECK(tests::contains(c99(model), "l->depthwise"));
  CHECK(tests::contains(js(model), "l.depthwise"));
  model.layers.erase(model.layers.begin() + 1);
  std::erase_if(model.layers,
                [](const PackedLayer& l) { return l.kind == LayerKind::kDepthwiseConv2d; });
  for (PackedLayer& l : model.layers)
    if (l.kind == LayerKind::kAveragePool2d) l.kernel_h = 5;
  CHECK(!tests::contains(c99(model), "depth"));
  CHECK(!tests::contains(js(model), "depth"));
}
