#include "apps/smallest/search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace espalier::apps {
namespace {

constexpr int kProbeEpochs = 6, kMostEpochs = 300;
constexpr double kFirstLambda = 6e-5;
// Exponents: bytes go with lambda^-0.6 and so on, until trials say more. Rough, from LeNets
// (apps/records/RECORDS.md).
constexpr double kBytesByLambda = -0.6, kErrorByLambda = 0.4;
constexpr double kByEpochs = -0.12;

double log_error(const Goal& goal, double error) {
  return std::log(std::max(error, goal.least_error));
}

// What the goal counts, in logarithms: as lambda rises, it falls (bytes) or rises (error).
double value(const Goal& goal, const Trial& t) {
  return goal.most_bytes ? std::log(static_cast<double>(t.bytes)) : log_error(goal, t.error);
}
// A little below the limit: validation examples and later trials differ from what was seen.
double wanted(const Goal& goal) {
  return goal.most_bytes ? std::log(0.97 * static_cast<double>(*goal.most_bytes))
                         : log_error(goal, 0.97 * *goal.most_error);
}

double distance(const Trial& t, int epochs) {
  return std::abs(std::log(static_cast<double>(t.plan.epochs) / epochs));
}

// The trials of these widths whose epochs are nearest to `epochs`.
std::vector<Trial> nearest_rung(const std::vector<Trial>& trials, std::size_t widths, int epochs) {
  std::vector<Trial> rung;
  double least = 1e9;
  for (const Trial& t : trials)
    if (t.plan.widths == widths) least = std::min(least, distance(t, epochs));
  for (const Trial& t : trials)
    if (t.plan.widths == widths && distance(t, epochs) <= least + 0.35) rung.push_back(t);
  return rung;
}

// By how much the goal's value changes with log lambda: of the two trials of one network and of
// like epochs that stand nearest to the goal; those of `widths` first.
double slope_for(const Goal& goal, const std::vector<Trial>& trials, std::size_t widths,
                 int epochs) {
  std::vector<std::size_t> order = {widths};
  for (const Trial& t : trials) order.push_back(t.plan.widths);
  for (const std::size_t w : order) {
    auto rung = nearest_rung(trials, w, epochs);
    std::ranges::sort(rung, {},
                      [&](const Trial& t) { return std::abs(value(goal, t) - wanted(goal)); });
    for (const Trial& other : rung) {
      const double apart = std::log(other.plan.lambda / rung.front().plan.lambda);
      if (std::abs(apart) < 0.1) continue;
      const double seen = (value(goal, other) - value(goal, rung.front())) / apart;
      return goal.most_bytes ? std::clamp(seen, -1.5, -0.25) : std::clamp(seen, 0.15, 1.5);
    }
  }
  return goal.most_bytes ? kBytesByLambda : kErrorByLambda;
}

Trial nearest_to_goal(const Goal& goal, const std::vector<Trial>& rung) {
  return *std::ranges::min_element(
      rung, {}, [&](const Trial& t) { return std::abs(value(goal, t) - wanted(goal)); });
}

// The lambda at which a trial of these epochs should lie at the goal.
double lambda_for(const Goal& goal, const std::vector<Trial>& trials, std::size_t widths,
                  int epochs) {
  const auto rung = nearest_rung(trials, widths, epochs);
  if (rung.empty()) return kFirstLambda;
  const Trial near = nearest_to_goal(goal, rung);
  const double later = kByEpochs * std::log(static_cast<double>(epochs) / near.plan.epochs);
  const double step =
      (wanted(goal) - value(goal, near) - later) / slope_for(goal, trials, widths, epochs);
  return near.plan.lambda * std::exp(std::clamp(step, -1.8, 1.8));
}

// What a trial of these widths costs; the dearest of the others' until these have been tried.
struct Cost {
  double per_epoch = 0, beside = 0;  // minutes
};
Cost cost_of(const std::vector<Trial>& trials, std::size_t widths) {
  Cost most, own;
  for (const Trial& t : trials)
    for (Cost* cost : {&most, &own})
      if (cost == &most || t.plan.widths == widths)
        *cost = {std::max(cost->per_epoch, t.minutes / t.plan.epochs),
                 std::max(cost->beside, t.other_minutes)};
  return own.per_epoch > 0 ? own : most;
}

// Bytes and error in one number, as if the trial had moved along the curve to the same bytes.
double score(const Goal& goal, const Trial& t) {
  return log_error(goal, t.error) -
         kErrorByLambda / kBytesByLambda * std::log(static_cast<double>(t.bytes));
}

std::size_t best_widths(const Goal& goal, const std::vector<Trial>& trials) {
  const auto least = std::ranges::min_element(trials, {}, [&](const Trial& t) {
    return score(goal, t) + 2 * kByEpochs * -std::log(static_cast<double>(t.plan.epochs));
  });
  return least->plan.widths;
}

}  // namespace

bool meets(const Goal& goal, const Trial& trial) {
  return goal.most_bytes ? trial.bytes <= *goal.most_bytes : trial.error <= *goal.most_error;
}

std::optional<std::size_t> best(const Goal& goal, const std::vector<Trial>& trials) {
  if (trials.empty()) return {};
  std::vector<std::size_t> places(trials.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const auto worth = [&](std::size_t i) {
    const Trial& t = trials[i];
    const auto bytes = static_cast<double>(t.bytes);
    const bool good = meets(goal, t);
    const bool by_bytes = goal.most_bytes.has_value() != good;
    return std::tuple(!good, by_bytes ? bytes : t.error, by_bytes ? t.error : bytes);
  };
  return *std::ranges::min_element(places, {}, worth);
}

std::vector<std::size_t> pareto_front(const std::vector<Trial>& trials) {
  std::vector<std::size_t> places(trials.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, {},
                    [&](std::size_t i) { return std::tuple(trials[i].bytes, trials[i].error, i); });
  std::vector<std::size_t> front;
  for (const std::size_t i : places)
    if (front.empty() || trials[i].error < trials[front.back()].error) front.push_back(i);
  return front;
}

std::optional<Plan> next_plan(const Goal& goal, const std::vector<Trial>& trials,
                              std::size_t widths, double minutes_left, double minutes) {
  if (trials.empty()) return Plan{0, kFirstLambda, kProbeEpochs};
  const double left = minutes_left, spent = minutes - left;
  const auto epochs_in = [&](double time, std::size_t w) {
    const Cost cost = cost_of(trials, w);
    return static_cast<int>(std::max(0.0, time - cost.beside) / cost.per_epoch);
  };
  const auto plan = [&](std::size_t w, int epochs) {
    return Plan{w, lambda_for(goal, trials, w, epochs), epochs};
  };

  // Short ones: two more lambdas of the first widths, then the others, each until one lies near.
  if (spent < 0.4 * minutes) {
    std::vector<int> tried(widths);
    for (const Trial& t : trials) ++tried[t.plan.widths];
    for (std::size_t w = 0; w < widths; ++w) {
      const int epochs = std::clamp(epochs_in(0.06 * minutes, w), 2, 40);
      if (epochs_in(0.5 * left, w) < epochs) continue;
      const auto rung = nearest_rung(trials, w, epochs);
      const bool near =
          !rung.empty() && std::abs(value(goal, nearest_to_goal(goal, rung)) - wanted(goal)) < 0.15;
      if (tried[w] < (w == 0 ? 3 : 1) || (tried[w] < 3 && !near)) return plan(w, epochs);
    }
  }
  // Long ones: most of what is left, twice if that makes two good ones.
  const std::size_t w = best_widths(goal, trials);
  const bool much = epochs_in(0.5 * left, w) >= 60;
  const int epochs = std::min(epochs_in((much ? 0.48 : 0.95) * left, w), kMostEpochs);
  const auto longest = std::ranges::max(trials, {}, [](const Trial& t) { return t.plan.epochs; });
  if (epochs < std::max(2, longest.plan.epochs / 2)) return {};
  return plan(w, epochs);
}

}  // namespace espalier::apps
