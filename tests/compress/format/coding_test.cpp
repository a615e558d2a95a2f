#include <doctest/doctest.h>

#include <cmath>

#include "compress/format/level_coder.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;
using namespace espalier::format::samples;

TEST_CASE("what is written is read, in both codings and at every width") {
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 32})
    for (const double density : {0.0, 0.1, 1.0})
      for (const auto coding : {Coding::kPlain, Coding::kRange}) {
        CAPTURE(bits);
        const auto model = network(bits, density);
        const auto bytes = write(model, coding);
        CHECK(read(bytes, "x.esp") == model);
        CHECK(write(read(bytes, "x.esp"), coding) == bytes);
      }
}

TEST_CASE("the writer refuses shapes that do not chain and levels outside their grid") {
  auto model = worked_example();
  model.input_shape[2] = 5;
  CHECK_THROWS_AS(write(model), Error);
  model = worked_example();
  model.layers[0].weight.levels[0] = 2;
  CHECK_THROWS_AS(write(model), Error);
}

TEST_CASE("sparse ternary levels come within 3 % and 16 bytes of their entropy") {
  const auto layer = weighted(LayerKind::kDense, {100, 400}, 2, 0.15);  // a tenth is nonzero
  const double p = 0.1;
  const double bytes = 40000 / 8.0 * (-p * std::log2(p / 2) - (1 - p) * std::log2(1 - p));
  CHECK(level_bits(layer.weight.levels, layer.weight.shape, 2) / 8 < 1.03 * bytes + 16);
}

TEST_CASE("the worked example of FORMAT.md is what the writer writes") {
  const auto page = read_file(ESPALIER_SOURCE_DIR "/compress/format/FORMAT.md");
  std::string hex;
  for (const auto byte : write(worked_example())) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  std::string squeezed;
  for (const auto c : page)
    if (c != ' ' && c != '\n') squeezed += static_cast<char>(c);
  INFO(hex);
  CHECK(squeezed.find("```hex" + hex + "```") != std::string::npos);
}
