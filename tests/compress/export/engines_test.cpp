// Exported .onnx and .tflite files in their own engines, where these are installed: answers as the
// reference executor's, logits within a few levels' rounding.
#include <doctest/doctest.h>

#include <set>

#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/engines.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;

namespace {

struct Folder {
  std::filesystem::path path;
  int onnx = 0, tflite = 0;  // files
};

void write(Folder& folder, const std::string& name, const Sample& s) {
  Bytes raw(s.want.size() * sizeof(float));
  std::memcpy(raw.data(), s.want.data(), raw.size());
  write_file(folder.path / (name + ".pixels"), s.pixels);
  write_file(folder.path / (name + ".logits"), raw);
  write_file(folder.path / (name + ".onnx"), onnx(s.model, {.name = name}));
  ++folder.onnx;
  try {
    write_file(folder.path / (name + ".tflite"), tflite(s.model, {.name = name}));
    ++folder.tflite;
  } catch (const Error& error) {  // the one thing that it cannot say
    REQUIRE_MESSAGE(tests::contains(error.what(), "average pool"), error.what());
  }
}

// Levels whose means lie halfway between two of them half of the time, and batch norms that yield
// such halves, multiply by next to nothing or saturate.
Sample halves(int zero_point, int activation_bits, std::int64_t window = 2) {
  const auto seed = static_cast<std::uint64_t>(zero_point + activation_bits);
  Rng rng(seed, "halves");
  Sample s{seed, runtime::model_of({9, 8, 2}, {1.0f / 127, 0}), {}, {}};
  PackedLayer conv = runtime::conv_of(rng, s.model.input_shape, 6, 8), mean, norm, flatten;
  conv.kernel_h = conv.kernel_w = conv.stride_h = conv.stride_w = 1;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = 0;
  conv.weight = {}, conv.bias_levels.clear(), conv.bias_shift = 0;
  runtime::set_levels(conv, rng, {6, 1, 1, 2}, 8, runtime::Weights::kRandom);
  conv.weight.scales = {0.01f}, conv.bias_levels.clear();
  spread(conv, rng, s.model.input, {.activation_bits = activation_bits});
  mean.kind = LayerKind::kAveragePool2d;
  mean.kernel_h = mean.kernel_w = window, mean.stride_h = mean.stride_w = 2;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier = {0.5f, -0.5f, 1.5f, 1e-9f, -1e-30f, 300.0f};
  norm.offset = {10, 100, -20, 100, 50, -2000};
  norm.output = {0.05f, zero_point};
  flatten.kind = LayerKind::kFlatten;
  s.model.layers = {conv, mean, norm, flatten,
                    runtime::dense_of(rng, (window == 2 ? 4 * 4 : 4 * 3) * 6, 4, 8)};
  s.pixels = pixels_of(rng, s.model, 200);
  s.want = wanted(s.model, s.pixels);
  REQUIRE(distinct_rows(s.want, 200) > 150);
  return s;
}

constexpr std::int64_t kImages = 200;

}  // namespace

TEST_CASE("ONNX Runtime and LiteRT give the reference's answers") {
  if (engines_python().empty()) return;
  const tests::Folder temporary("engines_test");
  Folder folder{temporary.path};
  std::set<LayerKind> seen;
  const auto write_all = [&](const std::string& name, const std::vector<Sample>& all) {
    for (const Sample& s : all) {
      for (const PackedLayer& l : s.model.layers) seen.insert(l.kind);
      write(folder, name + std::to_string(s.seed), s);
    }
  };
  write_all("padded", samples(8, Numbers::kIntegers, kImages));
  const int refused = folder.onnx - folder.tflite;
  write_all("integers", samples(8, Numbers::kIntegers, kImages, {.padded_pools = false}));
  write_all("narrow",
            samples(4, Numbers::kIntegers, kImages, {.padded_pools = false, .activation_bits = 3}));
  write_all("floats", samples(6, Numbers::kFloats, kImages, {.padded_pools = false}));
  write_all("dynamic", samples(2, Numbers::kDynamicRange, kImages, {.padded_pools = false}));
  write_all("halves", {halves(0, 7), halves(0, 2), halves(64, 7), halves(31, 3)});
  write_all("thirds", {halves(0, 7, 3), halves(64, 7, 3), halves(31, 3, 3)});
  write_all("separable", {sample_of(separable(1, 8, 1), kImages)});
  write_all("separable4_", {sample_of(separable(2, 4, 0.5), kImages)});
  write_all("separable_floats",
            {sample_of(floats_of(separable(3, 8, 1), Numbers::kFloats), kImages)});
  CHECK(seen.size() == 9);
  CHECK(folder.onnx == 38);
  CHECK(folder.tflite == 38 - refused);
  CHECK(refused <= 4);
  // Engines round the sums of convolutions in their own way: now and then a level may change.
  check_engines(folder.path, {.difference = "0.01"});
}

TEST_CASE("layers of floats among those of integers: C99 refuses them, the engines run them") {
  std::vector<std::pair<std::string, Sample>> all;
  const auto add = [&](const std::string& name, const PackedModel& model) {
    all.emplace_back(name, sample_of(model, kImages));
    CHECK_THROWS_WITH_AS(network_of(model), doctest::Contains("take onnx or tflite"), Error);
  };
  for (const Sample& s : samples(10, Numbers::kIntegers, 20, {.padded_pools = false})) {
    const PackedModel mixed = mixed_of(s.model, s.seed, 3);
    if (mixed != s.model) add("mixed" + std::to_string(s.seed), mixed);
  }
  CHECK(all.size() >= 8);
  add("separable", mixed_of(separable(1, 8, 1), 1));
  add("branches", mixed_branches(1));
  std::size_t speak = 0;
  for (const auto& [name, s] : all) speak += distinct_rows(s.want, kImages) > 150;
  CHECK(speak + 2 >= all.size());

  if (engines_python().empty()) return;
  const tests::Folder temporary("engines_mixed_test");
  Folder folder{temporary.path};
  for (const auto& [name, s] : all) write(folder, name, s);
  CHECK(folder.tflite == folder.onnx);
  // Of floats the sum's last bit depends on the engine, and now and then a level on that bit.
  check_engines(folder.path);
}
