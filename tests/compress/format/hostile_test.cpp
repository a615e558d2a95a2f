// What is not a file that the writer wrote is refused: cut, changed, oversized, or spelt in another
// way.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;
using samples::sealed;
using samples::unchecked;

namespace {

// The error's text; empty if the file was accepted, and then it is canonical.
std::string refused(const Bytes& bytes) {
  try {
    const PackedModel any = read(bytes, "x.esp", {.canonical = false});
    CHECK(read(write(any), "y.esp") == any);
    const PackedModel model = read(bytes, "x.esp");
    CHECK(model == any);
    CHECK(write(model, coding_of(bytes)) == bytes);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK(std::string(error.what()).starts_with("x.esp: "));
    return error.what();
  }
}

}  // namespace

TEST_CASE("every prefix and every flipped bit of every kind of file is corrupt") {
  for (const Bytes& file : samples::files()) {
    REQUIRE(refused(file) == "");
    for (std::size_t n = 0; n < file.size(); ++n) {
      const Bytes prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
      CHECK(refused(prefix) != "");
      refused(sealed(prefix));
    }
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
      Bytes flipped = file;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
      CHECK(refused(flipped) != "");
      refused(sealed(flipped));  // corrupt, or a valid model in its canonical form
    }
  }
}

TEST_CASE("the first bytes tell what a file is") {
  const Bytes good = write(samples::worked_example());
  const auto starting = [&](std::uint8_t first) {
    Bytes bytes = good;
    bytes[0] = first;
    return refused(sealed(bytes));
  };
  CHECK(starting(0xE3) == "");
  CHECK(starting('E').find("version 0") != std::string::npos);
  CHECK(starting(0xE9).find("version 4") != std::string::npos);
  CHECK(starting(0x53).find("not an .esp file") != std::string::npos);
  CHECK(refused({0xE3, 0, 0}).find("3 bytes are no .esp file") != std::string::npos);
  Bytes longer = good;
  longer.insert(longer.end() - 2, 0);
  CHECK(refused(sealed(longer)).find("left over") != std::string::npos);
}

TEST_CASE("each rule of the format has a file that breaks it, and an error that names it") {
  using Break = std::function<void(PackedModel&)>;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto only = [](LayerKind kind, auto change) {
    return [=](PackedModel& m) {
      m.layers.assign(1, PackedLayer{});
      m.layers[0].kind = kind;
      change(m.layers[0]);
    };
  };
  struct Rule {
    Break change;  // of FORMAT.md's example: one dense layer 2 x 4 of two bits
    std::string error;
  };
  for (const Rule& rule : std::vector<Rule>{
           {[](auto& m) {
              m.input_shape = {1 << 21, 1, 4};
            },
            "over the limit of 1048576"},
           {[](auto& m) {
              m.input_shape = {1 << 14, 1 << 14, 1};
              m.layers[0] = {}, m.layers[0].kind = LayerKind::kRelu;
            },
            "over the limit"},
           {[](auto& m) { m.input.scale = kInfinity; }, "grid"},
           {[](auto& m) { m.input_deviation = 0; }, "deviation"},
           {[](auto& m) { m.input_mean = kNan; }, "deviation"},
           {[](auto& m) { m.input_mean = -0.0f, m.input_deviation = -1; }, "deviation"},
           {[](auto& m) { m.labels.assign(65537, ""); }, "over the limit of 65536"},
           {[](auto& m) { m.labels = {std::string(257, 'x')}; }, "over the limit of 257"},
           {[](auto& m) { m.layers.clear(); }, "0 layers"},
           {only(LayerKind::kRelu, [](auto& l) { l.name.assign(300, 'x'); }), "over the limit"},
           {only(LayerKind::kMaxPool2d, [](auto& l) { l.kernel_h = 5000; }), "limit of 4096"},
           {only(LayerKind::kMaxPool2d, [](auto& l) { l.kernel_h = 2; }), "padded input"},
           {only(LayerKind::kMaxPool2d, [](auto& l) { l.pad_top = 4097; }), "limit of 4097"},
           {[](auto& m) {
              m.input_shape = {1, 2, 2};
            },
            "flat input"},
           {[](auto& m) { m.layers[0].output.scale = kInfinity; }, "grid"},
           {[](auto& m) { m.layers[0].weight.shape[0] = 1 << 21; }, "over the limit of 1048576"},
           {[](auto& m) { m.layers[0].bias_shift = 32; }, "over the limit of 31"},
           {[](auto& m) { m.layers[0].bias_shift = -1; }, "bias shift -1"},
           {[](auto& m) { m.layers[0].bias_levels[0] = 1 << 24; }, "2^24"},
           {[](auto& m) { m.layers[0].bias_levels[0] = 1, m.layers[0].bias_shift = 24; }, "2^24"},
           {[](auto& m) { m.layers[0].weight.scales[0] = kInfinity; }, "NaN or infinity"},
           {[](auto& m) { m.layers[0].weight.scales[0] = 0; }, "not positive"},
           {[](auto& m) {
              m.layers[0].weight.scales = {0.5f, 0.5f, 0.5f};
            },
            ""},
       })
    for (const auto coding : {Coding::kPlain, Coding::kRange}) {
      PackedModel model = samples::worked_example();
      rule.change(model);
      const std::string error = refused(unchecked(model, coding));
      CHECK_MESSAGE(error.find(rule.error) != std::string::npos, rule.error << " -> " << error);
      CHECK(error != "");
    }
  PackedModel model = samples::network(32, 1);
  model.layers[0].weight.values[3] = kInfinity;
  CHECK(refused(unchecked(model, Coding::kPlain)).find("NaN or infinity") != std::string::npos);
  model = samples::network(32, 1);
  model.layers[3].offset[1] = kNan;
  CHECK(refused(unchecked(model, Coding::kRange)).find("NaN") != std::string::npos);
}

TEST_CASE("a tiny file cannot ask for a large allocation") {
  // A dense layer of 2^10 x 2^14 levels, and of floats.
  PackedModel model = samples::worked_example();
  model.input_shape = {1, 1, 1 << 14};
  PackedLayer& layer = model.layers[0];
  layer.bias_levels.clear();
  layer.weight.shape = {1 << 10, 1 << 14};
  layer.weight.levels.assign(1 << 24, 0);
  const auto asks = [&](Coding coding) { return refused(unchecked(model, coding)); };
  CHECK(asks(Coding::kRange).find("the limit for this file is 524288") != std::string::npos);
  layer.weight.levels.assign(1, 0);
  layer.weight.bits = 32;
  CHECK(asks(Coding::kPlain).find("the limit for this file is 524288") != std::string::npos);
  CHECK(most_weights(100) * (sizeof(float) + 2 * sizeof(std::int32_t)) < 32u << 20);
  CHECK(most_weights(1 << 20) == kMaxWeights);
}

TEST_CASE("a caller may set a lower limit of weights") {
  const Bytes file = write(samples::worked_example());  // 8 weights
  CHECK(read(file, "small.esp", {.weight_limit = 8}) == samples::worked_example());
  CHECK_THROWS_WITH_AS(read(file, "small.esp", {.weight_limit = 7}),
                       doctest::Contains("limit for this file is 7"), Error);
}

TEST_CASE("a writer refuses what its reader would: many zeros in too few bytes") {
  PackedModel model = samples::worked_example();
  model.input_shape = {1, 1, 1 << 20};
  model.layers[0].weight.shape = {4, 1 << 20};
  model.layers[0].bias_levels.clear();
  model.layers[0].weight.levels.assign(4 << 20, 0);
  CHECK_THROWS_WITH_AS(write(model), doctest::Contains("remove the units"), Error);
  model.input_shape = {1, 1, 1 << 19};
  model.layers[0].weight.shape = {2, 1 << 19};
  model.layers[0].weight.levels.assign(1 << 20, 0);
  CHECK(refused(write(model)) == "");
}
