#include "apps/bench/report.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"

using namespace espalier;
using namespace espalier::bench;
namespace {

Result result(const std::string& model, double median, double mad) {
  return {.suite = "infer",
          .model = model,
          .variant = "int8",
          .us = {.rounds = 5, .median = median, .mad = mad},
          .items_per_second = 1e6 / median,
          .unit = "images"};
}

Report report(std::vector<Result> results) {
  return {.machine = {.cpu = "a \"processor\""}, .rounds = {}, .results = std::move(results)};
}

}  // namespace

TEST_CASE("slower than a saved run: past the tolerance and past the noise") {
  const std::string saved =
      to_json(report({result("small", 100, 1), result("large", 100, 10), result("gone", 1, 0)}));
  const auto against = [&](std::vector<Result> now) {
    return regressions(report(std::move(now)), saved, "saved.json", 0.1);
  };
  CHECK(against({result("small", 100, 1), result("large", 100, 10)}).empty());
  CHECK(against({result("small", 109, 1)}).empty());   // within the tolerance
  CHECK(against({result("large", 125, 10)}).empty());  // within three times the MADs
  CHECK(against({result("small", 50, 1)}).empty());    // faster
  CHECK(against({result("small", 100, 1), result("new", 1e6, 1)}).empty());
  CHECK_THROWS_WITH_AS(against({result("new", 1e6, 1)}),
                       doctest::Contains("holds none of the 1 results of this run"), Error);
  const auto slower = against({result("small", 120, 1), result("large", 200, 10)});
  REQUIRE(slower.size() == 2);
  CHECK(slower[0].name == "infer small int8, batch 1");
  CHECK(slower[0].us == 120);
  CHECK(slower[0].former_us == 100);
}

TEST_CASE("what is no saved run, or one of other threads, is an error") {
  const Report now = report({result("small", 100, 1)});
  for (const char* text : {"", "{}", "[1, 2]", R"({"threads": 1, "results": [{"suite": 3}]})"})
    CHECK_THROWS_WITH_AS(regressions(now, text, "saved.json", 0.1),
                         doctest::Contains("is no saved run"), Error);
  Report two = now;
  two.threads = 2;
  CHECK_THROWS_WITH_AS(regressions(now, to_json(two), "saved.json", 0.1),
                       doctest::Contains("--threads 2"), Error);
}

TEST_CASE("the table has a line a result, and says on what it was measured") {
  Report r = report({result("small", 1.25, 0.5), result("large", 123456, 2)});
  r.machine.load_average = "0.50 0.40 0.30";
  const std::string text = table(r);
  for (const char* part : {"a \"processor\"", "0.50 0.40 0.30", "infer small int8, batch 1", "1.25",
                           "123,456", "800,000 images"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part << " in\n" << text);
}
