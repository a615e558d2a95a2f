#include "apps/smallest/search.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace espalier::apps;
namespace {

// A world where the laws are others than the search's first guesses: the wider network is better,
// and dearer by the minute.
Trial run(const Plan& plan, double minute_an_epoch = 0.05) {
  const double wide = plan.widths == 1 ? 1 : 0;
  Trial t{.plan = plan};
  t.bytes = static_cast<std::int64_t>(
      std::lround(1000 * std::pow(plan.lambda / 7e-5, -0.9) * std::pow(plan.epochs / 60.0, -0.1)));
  t.error = 0.012 * std::pow(plan.lambda / 7e-5, 0.55) * std::pow(plan.epochs / 60.0, -0.1) *
            (1 - 0.2 * wide);
  t.minutes = plan.epochs * minute_an_epoch * (1 + wide);
  return t;
}

std::vector<Trial> search(const Goal& goal, double minutes, std::size_t widths = 2,
                          std::vector<Trial> trials = {}) {
  double left = minutes;
  for (int i = 0; i < 50; ++i) {
    const auto plan = next_plan(goal, trials, widths, left, minutes);
    if (!plan) return trials;
    trials.push_back(run(*plan));
    left -= trials.back().minutes;
  }
  FAIL("the search does not end");
  return trials;
}

double minutes_of(const std::vector<Trial>& trials) {
  double sum = 0;
  for (const Trial& t : trials) sum += t.minutes;
  return sum;
}

}  // namespace

TEST_CASE("search: a size is met, in the time, with the better widths") {
  for (const std::int64_t bytes : {500, 1000, 3000}) {
    const Goal goal{.most_bytes = bytes, .most_error = {}};
    const auto trials = search(goal, 30);
    const Trial& kept = trials[*best(goal, trials)];
    CHECK(kept.bytes <= bytes);
    CHECK(static_cast<double>(kept.bytes) > 0.85 * static_cast<double>(bytes));
    CHECK(kept.plan.widths == 1);
    CHECK(kept.plan.epochs >= 60);
    CHECK(minutes_of(trials) < 33);
    CHECK(minutes_of(trials) > 20);
  }
}

TEST_CASE("search: an error is met with few bytes") {
  for (const double error : {0.008, 0.012, 0.02}) {
    const Goal goal{.most_bytes = {}, .most_error = error};
    const auto trials = search(goal, 30);
    const Trial& kept = trials[*best(goal, trials)];
    CHECK(kept.error <= error);
    CHECK(kept.error > error * 0.85);
  }
}

TEST_CASE("search: a short time gives what it can, and a goal out of reach the nearest") {
  const Goal goal{.most_bytes = 10, .most_error = {}};
  const auto trials = search(goal, 1);
  REQUIRE(!trials.empty());
  const auto kept = best(goal, trials);
  for (const Trial& t : trials) CHECK(trials[*kept].bytes <= t.bytes);
  CHECK(!meets(goal, trials[*kept]));
}

TEST_CASE("search: resumed, it goes on where it was") {
  const Goal goal{.most_bytes = 1000, .most_error = {}};
  auto trials = search(goal, 10);
  const auto before = trials.size();
  const auto plan = next_plan(goal, trials, 2, 30, 30);
  REQUIRE(plan.has_value());
  CHECK(plan->epochs > 6);  // no probe again
  trials = search(goal, 30, 2, trials);
  CHECK(trials.size() > before);
  CHECK(trials[*best(goal, trials)].bytes <= 1000);
}

TEST_CASE("search: errors of numbers go far below one in ten thousand, and are told apart there") {
  // 1 - R2 of a table whose numbers follow from its columns.
  const auto small = [](const Plan& plan) {
    Trial t = run(plan);
    t.error *= 1e-5;
    return t;
  };
  for (const double error : {8e-8, 1.2e-7, 2e-7}) {
    const Goal goal{.most_bytes = {}, .most_error = error, .least_error = 1e-12};
    std::vector<Trial> trials;
    double left = 30;
    while (const auto plan = next_plan(goal, trials, 2, left, 30)) {
      trials.push_back(small(*plan));
      left -= trials.back().minutes;
      REQUIRE(trials.size() < 50);
    }
    const Trial& kept = trials[*best(goal, trials)];
    CHECK(kept.error <= error);
    CHECK(kept.error > error * 0.85);
    CHECK(kept.plan.widths == 1);
  }
}

TEST_CASE("the front holds what nothing beats, fewest bytes first") {
  const auto at = [](std::int64_t bytes, double error) {
    return Trial{.plan = {}, .bytes = bytes, .error = error};
  };
  const std::vector<Trial> trials = {at(900, 0.012), at(800, 0.011), at(1200, 0.008),
                                     at(1300, 0.008), at(700, 0.02)};
  CHECK(pareto_front(trials) == std::vector<std::size_t>{4, 1, 2});
  CHECK(*best({.most_bytes = 1250, .most_error = {}}, trials) == 2);
  CHECK(*best({.most_bytes = {}, .most_error = 0.0115}, trials) == 1);
  CHECK(*best({.most_bytes = 100, .most_error = {}}, trials) == 4);
  CHECK(*best({.most_bytes = {}, .most_error = 0.001}, trials) == 2);
  CHECK(!best({.most_bytes = 100, .most_error = {}}, {}).has_value());
}
