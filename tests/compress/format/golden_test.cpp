// Files of versions 1 to 3, written once: this program writes the same bytes, and every later one
// reads the same models.
#include <doctest/doctest.h>

#include <filesystem>

#include "compress/format/plain_coder.hpp"
#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

TEST_CASE("the golden files are read and written, byte for byte, in the version of their folder") {
  for (const int version : {1, 2, 3})
    for (const auto& [name, model, coding] : version == 1   ? samples::golden()
                                             : version == 2 ? samples::golden_v2()
                                                            : samples::golden_v3()) {
      CAPTURE(name);
      const Bytes file = read_file(std::filesystem::path(ESPALIER_SOURCE_DIR "/tests/golden") /
                                   ("v" + std::to_string(version)) / name);
      CHECK(version_of(file[0]) == version);
      CHECK(version_for(model) == version);
      CHECK(read(file, name) == model);
      CHECK(write(model, coding) == file);
    }
}

TEST_CASE("a small LeNet-5 takes 12 bytes beside its levels") {
  const PackedModel model = samples::lenet5();
  BitCounter levels;
  LevelModels models;
  std::array<std::int64_t, 3> flat{4, 4, 16};
  for (const auto& l : model.layers) {
    if (l.weight.levels.empty()) continue;
    const auto& s = l.weight.shape;
    const auto window = s.size() == 4 ? std::array{s[1], s[2], s[3]} : flat;
    if (s.size() == 2) flat = {1, 1, s[0]};
    const LevelShape shape{static_cast<std::size_t>(s[0]), static_cast<std::size_t>(window[0]),
                           static_cast<std::size_t>(window[1]),
                           static_cast<std::size_t>(window[2])};
    LevelCoder(levels, std::span(l.weight.levels), shape, l.weight.bits, models).code();
  }
  const double beside = static_cast<double>(write(model).size()) - levels.bits() / 8;
  INFO(beside);
  CHECK(beside > 8);
  CHECK(beside < 12);
}

TEST_CASE("measure says where the bits are") {
  for (const auto& [name, model, coding] : samples::golden()) {
    const auto sizes = measure(model, coding);
    REQUIRE(sizes.layer_bits.size() == model.layers.size());
    double bits = sizes.head_bits;
    for (const double layer : sizes.layer_bits) bits += layer;
    const auto bytes = static_cast<double>(write(model, coding).size());
    CHECK(std::abs(bytes - 2 - bits / 8) < 1.5 + 0.001 * bytes);
  }
}
