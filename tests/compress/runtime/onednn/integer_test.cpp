// The vectorisable arithmetic of core/kernels/integer.hpp against the library's nearbyint.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/base/rng.hpp"
#include "core/kernels/integer.hpp"

using namespace espalier;

namespace {

std::int32_t plain_level(float x, std::int32_t zero_point) {
  const float level = std::nearbyint(x) + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(std::clamp(level, 0.0f, 127.0f));
}

}  // namespace

TEST_CASE("rounding is half to even, as nearbyint, over the whole range") {
  for (int i = -1000; i <= 1000; ++i)
    CHECK(kernels::round_half_even(static_cast<float>(i) / 4) ==
          std::nearbyint(static_cast<float>(i) / 4));
  Rng rng(1, "rounding");
  std::int64_t wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const float x = rng.uniform(-1, 1) * std::pow(2.0f, static_cast<float>(rng.below(23)));
    wrong += kernels::round_half_even(x) != std::nearbyint(x);
  }
  CHECK(wrong == 0);
}

TEST_CASE("a level clamped before rounding is the level clamped after") {
  Rng rng(1, "levels");
  std::int64_t wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const float x = i % 2 ? rng.uniform(-200, 200)
                          : static_cast<float>(static_cast<int>(rng.below(800)) - 400) / 2;
    const auto zero_point = static_cast<std::int32_t>(rng.below(128));
    wrong += kernels::nearest_level(x, zero_point) != plain_level(x, zero_point);
  }
  CHECK(wrong == 0);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(kernels::nearest_level(kInfinity, 64) == 127);
  CHECK(kernels::nearest_level(-kInfinity, 64) == 0);
  CHECK(kernels::nearest_level(std::numeric_limits<float>::quiet_NaN(), 64) == 0);
}

TEST_CASE("averages and batch norm round half to even") {
  CHECK(kernels::average_level(1, 2) == 0);   // 0.5
  CHECK(kernels::average_level(3, 2) == 2);   // 1.5
  CHECK(kernels::average_level(10, 4) == 2);  // 2.5
  CHECK(kernels::average_level(9 * 127, 9) == 127);
  CHECK(kernels::normalized_level(10, 4, 0.5f, -0.5f, 7) == 9);  // rint(2.5) + 7
  CHECK(kernels::normalized_level(0, 64, 100.0f, 0.0f, 7) == 0);
}
