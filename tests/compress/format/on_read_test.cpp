// What a reader has passed it does not read again: the owner of the bytes may do with them what it likes.
#include <doctest/doctest.h>

#include <algorithm>

#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

TEST_CASE("bytes that are reported as read may be written over: the model is the same") {
  for (const double density : {1.0, 0.8, 0.3, 0.01})
    for (const int bits : {2, 5, 8}) {
      CAPTURE(density);
      CAPTURE(bits);
      PackedModel model;
      model.input_shape = {1, 1, 320};
      model.input.scale = 0.5f;
      // Two tensors of the fast profile, with rows that are empty, the last among them.
      model.layers = {samples::weighted(LayerKind::kDense, {300, 320}, bits, density),
                      samples::weighted(LayerKind::kDense, {300, 300}, bits, density)};
      model.layers[0].output = {0.5f, 0};
      for (PackedLayer& l : model.layers) {
        auto& levels = l.weight.levels;
        const auto row = static_cast<std::ptrdiff_t>(levels.size() / 300);
        std::fill(levels.end() - 2 * row, levels.end(), std::int8_t{0});
        std::fill(levels.begin() + 7 * row, levels.begin() + 9 * row, std::int8_t{0});
      }
      Bytes bytes = write(model);
      const std::size_t size = bytes.size();
      std::size_t calls = 0, last = 0;
      const auto scribble = [&](std::size_t read) {
        CHECK(last <= read);
        REQUIRE(read < size);
        std::fill_n(bytes.begin(), read, std::uint8_t{0xA5});
        ++calls, last = read;
      };
      CHECK(read(bytes, "scribbled", {.canonical = false, .on_read = scribble}) == model);
      CHECK(calls > 0);
      if (density == 1) CHECK(last > size / 2);
    }
}

TEST_CASE("who asks for the one canonical spelling hears of no byte: all are read twice") {
  PackedModel model;
  model.input_shape = {1, 1, 320};
  model.input.scale = 0.5f;
  model.layers = {samples::weighted(LayerKind::kDense, {300, 320}, 8, 1)};
  const Bytes bytes = write(model);
  int calls = 0;
  CHECK(read(bytes, "canonical", {.on_read = [&](std::size_t) { ++calls; }}) == model);
  CHECK(calls == 0);
  CHECK(read(bytes, "any", {.canonical = false, .on_read = [&](std::size_t) { ++calls; }}) ==
        model);
  CHECK(calls > 0);
}
