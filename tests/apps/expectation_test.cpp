// What is to be expected of a training, in words.
#include "apps/common/expectation.hpp"

#include <doctest/doctest.h>

#include "core/base/memory.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using namespace espalier::apps;

TEST_CASE("times and sizes in round numbers") {
  CHECK(about_so_long(0) == "a few seconds");
  CHECK(about_so_long(7.9) == "a few seconds");
  CHECK(about_so_long(17) == "about 20 seconds");
  CHECK(about_so_long(89) == "about 90 seconds");
  CHECK(about_so_long(170) == "about 3 minutes");
  CHECK(about_so_long(80 * 60) == "about 80 minutes");
  CHECK(about_so_long(9000) == "about 2.5 hours");
  CHECK(about_so_long(40.4 * 3600) == "about 40 hours");
  CHECK(about_so_large(1) == "about 1 MB");
  CHECK(about_so_large(14'600'000) == "about 15 MB");
  CHECK(about_so_large(317'000'000) == "about 320 MB");
  CHECK(about_so_large(12'345'000'000) == "about 12,000 MB");
}

TEST_CASE("memory is that of the process and the training, no less than it has held") {
  const std::int64_t now = resident_bytes();
  REQUIRE(now > 1'000'000);
  CHECK(peak_resident_bytes() >= now);
  CHECK(told({.seconds = 200, .training_bytes = 50'000'000'000, .resident_bytes = now}) ==
        "training takes about 3 minutes and about 50,000 MB of memory");
  CHECK(told({.seconds = 200, .may_end_early = true, .resident_bytes = 1}) ==
        "training takes at most about 3 minutes and " + about_so_large(peak_resident_bytes()) +
            " of memory");
  CHECK(told({.seconds = 1, .training_bytes = 3'000'000}) ==
        "training takes a few seconds and about 3 MB of memory beside the data");
}
