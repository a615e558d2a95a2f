#include "compress/format/palette.hpp"

#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

TEST_CASE("a place is a rank and back, for every colour") {
  for (std::size_t place = 0; place < kMostColours; ++place) {
    CHECK(rank_of(place) != 0);
    CHECK(place_of(rank_of(place)) == place);
  }
}

TEST_CASE("a palette is every value but 0, ascending, if they are few") {
  const std::vector<float> values = {0.5f, 0, -1, 0.5f, 2};
  CHECK(palette_of(std::span<const float>(values), 3) == std::vector<float>{-1, 0.5f, 2});
  CHECK(palette_of(std::span<const float>(values), 2).empty());
}

TEST_CASE("sixteen levels that lie unevenly take little more than four bits each") {
  const auto model = samples::clustered_dense(false, 10, 16);
  CHECK(version_for(model) == 2);
  const auto bytes = static_cast<double>(write(model).size());
  CHECK(bytes < 2600 * 4.0 / 8 * 1.04 + 40);
  // What version 1 would have taken: the same without a palette.
  CHECK(static_cast<double>(samples::unchecked(model, Coding::kRange, 1).size()) > 1.3 * bytes);
  CHECK(version_for(samples::clustered_dense(false, 260, 16)) == 1);  // the fast profile's table
}

TEST_CASE("floats of few values shrink to their ranks, whichever the profile") {
  for (const std::int64_t outputs : {10, 260}) {
    const auto model = samples::clustered_dense(true, outputs, 16);
    const auto file = write(model);
    CHECK(static_cast<double>(file.size()) < 260.0 * static_cast<double>(outputs) / 2 * 1.05 + 120);
    CHECK(read(file, "clustered") == model);
  }
  auto negative_zero = samples::clustered_dense(true, 10, 16);
  negative_zero.layers[0].weight.values[3] = -0.0f;
  CHECK(version_for(negative_zero) == 1);
  CHECK(read(write(negative_zero), "negative zero") == negative_zero);
}

TEST_CASE(
    "what version 1 stores as well stays version 1, and a palette that no writer chose is "
    "refused") {
  for (const auto& golden : samples::golden()) CHECK(version_for(golden.model) == 1);
  const auto plain = samples::worked_example();
  const Bytes forged = samples::unchecked(plain, Coding::kRange, 2);
  CHECK_THROWS_AS(read(forged, "forged"), Error);
  const auto clustered = samples::clustered_dense(true, 10, 16);
  CHECK_THROWS_AS(read(samples::unchecked(clustered, Coding::kRange, 1), "old spelling"), Error);
}
