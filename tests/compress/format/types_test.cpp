// Version 2's layer types: 16-bit floats, levels in float layers, float layers between integer ones.
#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

std::string refused(const PackedModel& model, Coding coding, int version = 2) {
  try {
    read(samples::unchecked(model, coding, version), "x.esp");
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    return error.what();
  }
}

}  // namespace

TEST_CASE("each type reads back as it was written, in version 2, in both codings") {
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    std::vector<PackedModel> models = {samples::halves(), samples::crossings()};
    for (int bits = 2; bits <= 8; ++bits) models.push_back(samples::dynamic_range(bits));
    for (const auto& model : models) {
      CHECK(version_for(model) == 2);
      const Bytes file = write(model, coding);
      CHECK(version_of(file[0]) == 2);
      CHECK(read(file, "types.esp") == model);
      CHECK(refused(model, coding, 1) != "");  // no file of version 1 holds it
    }
  }
}

TEST_CASE("one crossing, one 16-bit layer, one layer of levels in a float model are version 2") {
  const PackedModel integers = samples::network(8, 0.3), floats = samples::network(32, 0.3);
  CHECK(version_for(integers) == 1);
  CHECK(version_for(floats) == 1);
  PackedModel model = floats;  // levels into a float layer
  model.input = {0.5f, 3};
  CHECK(version_for(model) == 2);
  model = floats;  // floats become levels: and are floats again
  model.layers[0].output = {0.5f, 3};
  CHECK(version_for(model) == 2);
  model = floats;
  model.layers.back().weight = integers.layers.back().weight;
  CHECK(version_for(model) == 2);
  // An integer layer that yields floats was possible before: integers, then floats.
  model = floats;
  model.input = integers.input, model.layers[0] = integers.layers[0], model.layers[0].output = {};
  CHECK(version_for(model) == 1);
  CHECK(read(write(model), "x.esp") == model);
}

TEST_CASE("each rule of the types has a file that breaks it") {
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    PackedModel model = samples::halves();
    model.layers[0].weight.values[5] = from_half(0x7C00);  // infinity
    CHECK(refused(model, coding).find("infinity") != std::string::npos);
    model = samples::halves();
    model.layers[0].bias[1] = from_half(0x7E00);  // NaN
    CHECK(refused(model, coding) != "");
    model = samples::dynamic_range(8);
    model.layers[0].weight.scales[2] = 3e38f;  // 127 of it is infinity
    CHECK(refused(model, coding).find("too large for floats") != std::string::npos);
    model.layers[0].weight.scales[2] = 0;
    CHECK(refused(model, coding).find("not positive") != std::string::npos);
    // A model of version 1 in a file of version 2.
    CHECK(refused(samples::network(8, 0.3), coding) != "");
    CHECK(refused(samples::network(32, 0.3), coding) != "");
  }
  PackedModel model = samples::halves();
  model.layers[0].weight.values[5] = 0.1f;
  CHECK_THROWS_WITH_AS(write(model), doctest::Contains("16 bits do not hold"), Error);
  model = samples::halves();
  model.layers[0].bias[0] = 1e-9f;
  CHECK_THROWS_WITH_AS(write(model), doctest::Contains("16 bits do not hold"), Error);
  model = samples::dynamic_range(8);  // which bias goes with which layer
  model.layers[0].bias.clear(), model.layers[0].bias_levels.assign(5, 1);
  CHECK_THROWS_AS(write(model), Error);
  model = samples::network(8, 0.3);
  model.layers[0].bias_levels.clear(), model.layers[0].bias.assign(5, 1);
  CHECK_THROWS_AS(write(model), Error);
  for (const int bits : {1, 9, 12, 15, 17, 31, 33}) {
    model = samples::network(32, 0.3);
    model.layers[0].weight.bits = bits;
    CHECK_THROWS_AS(write(model), Error);
  }
}
