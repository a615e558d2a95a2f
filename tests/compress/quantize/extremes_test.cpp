#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "compress/quantize/extremes.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using quantize::extremes;
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                kInfinity = std::numeric_limits<float>::infinity();

// Around the 16 lanes that are kept apart: a tail alone, lanes alone, both.
constexpr std::size_t kSizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 100};

std::vector<float> some(std::size_t size) {
  Rng rng(7, "extremes");
  std::vector<float> values(size);
  for (float& v : values) v = rng.uniform(-1, 1);
  return values;
}

}  // namespace

TEST_CASE("extremes: the smallest and the largest are found at every place") {
  for (const std::size_t size : kSizes)
    for (std::size_t at = 0; at < size; ++at) {
      CAPTURE(size);
      CAPTURE(at);
      std::vector<float> values = some(size);
      values[at] = 2;
      values[(at + 1) % size] = size > 1 ? -3.0f : 2.0f;
      const auto found = extremes(values);
      CHECK(found.finite);
      CHECK(found.high == 2);
      CHECK(found.low == (size > 1 ? -3 : 2));
    }
}

TEST_CASE("extremes: nothing is added, neither a 0 nor what an unused lane holds") {
  for (const std::size_t size : kSizes) {
    CAPTURE(size);
    for (const float sign : {1.0f, -1.0f}) {
      std::vector<float> values(size, sign * 5);
      values.back() = sign * 4;
      const auto [low, high, finite] = extremes(values);
      CHECK(finite);
      const float first = size > 1 ? sign * 5 : sign * 4;
      CHECK(low == std::min(first, sign * 4));
      CHECK(high == std::max(first, sign * 4));
    }
  }
  const float largest = std::numeric_limits<float>::max();
  const auto edge = extremes(std::vector<float>{largest, -largest, 0});
  CHECK(edge.finite);
  CHECK(edge.high == largest);
  CHECK(edge.low == -largest);
}

TEST_CASE("extremes: a NaN or infinity shows in every lane and in the tail") {
  for (const std::size_t size : kSizes)
    for (std::size_t at = 0; at < size; ++at)
      for (const float odd : {kNan, -kNan, kInfinity, -kInfinity}) {
        CAPTURE(size);
        CAPTURE(at);
        CAPTURE(odd);
        std::vector<float> values = some(size);
        values[at] = odd;
        CHECK_FALSE(extremes(values).finite);
      }
}
