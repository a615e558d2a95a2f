#include "core/base/half.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace espalier;

TEST_CASE("every half widens and comes back, and finite ones lie in order") {
  for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
    const auto half = static_cast<std::uint16_t>(pattern);
    const float wide = from_half(half);
    if (std::isnan(wide)) {
      CHECK((pattern & 0x7C00) == 0x7C00);
      continue;
    }
    REQUIRE(to_half(wide) == half);
    CHECK(is_half(wide));
    if (pattern > 0 && pattern <= 0x7C00)
      REQUIRE(wide > from_half(static_cast<std::uint16_t>(pattern - 1)));
  }
  CHECK(from_half(0x3C00) == 1.0f);
  CHECK(from_half(0xC000) == -2.0f);
  CHECK(from_half(0x7BFF) == kMaxHalf);
  CHECK(from_half(0x0001) == 0x1p-24f);
}

TEST_CASE("rounding is to the nearest half, ties to the even one") {
  for (std::uint32_t pattern = 0; pattern < 0x7BFF; ++pattern) {
    const auto low = static_cast<std::uint16_t>(pattern),
               high = static_cast<std::uint16_t>(low + 1);
    const float a = from_half(low), b = from_half(high), middle = (a + b) / 2;  // exact
    REQUIRE(to_half(middle) == (low % 2 ? high : low));
    REQUIRE(to_half(std::nextafter(middle, 0.0f)) == low);
    REQUIRE(to_half(std::nextafter(middle, 1e9f)) == high);
    REQUIRE(to_half(-middle) == (to_half(middle) | 0x8000));
  }
  CHECK(to_half(65519.99f) == 0x7BFF);
  CHECK(std::isinf(from_half(to_half(65520.0f))));
  CHECK(std::isinf(from_half(to_half(std::numeric_limits<float>::infinity()))));
  CHECK(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(!is_half(1.0f / 3));
  CHECK(!is_half(1e30f));
}
