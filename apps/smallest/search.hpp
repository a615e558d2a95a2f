// Which lambda, widths and epochs to try next for a file of so many bytes, or for the smallest one
// of so small an error, within a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::apps {

// Exactly one of the two.
struct Goal {
  std::optional<std::int64_t> most_bytes;  // then the error shall be least
  std::optional<double> most_error;        // a fraction; then the bytes shall be fewest
  // Errors below it are all the same, so that logarithms exist: of classes half of one of 5,000
  // validation examples; of numbers far less tells one table from a better one.
  double least_error = 1e-4;
};

// What a trial is: `widths` is its place in a list that the caller keeps.
struct Plan {
  std::size_t widths = 0;
  double lambda = 0;
  int epochs = 1;
};

struct Trial {
  Plan plan;
  std::int64_t bytes = 0;
  double error = 0;          // on validation examples: validation_error()
  double minutes = 0;        // of training, which goes by epochs
  double other_minutes = 0;  // descent and the rest
};

bool meets(const Goal& goal, const Trial& trial);

// The place of the trial to keep: of those that meet the goal, the one of the least error (fewest
// bytes); when none does, the nearest. None without trials.
std::optional<std::size_t> best(const Goal& goal, const std::vector<Trial>& trials);

// The places of trials that no other one beats in both bytes and error, fewest bytes first.
std::vector<std::size_t> pareto_front(const std::vector<Trial>& trials);

// The next trial, or none when what is left of the time would not make it worth while. First a
// short one; short ones at other lambdas, and one for each other width, in up to 40 % of the time;
// then the rest for long ones. Between trials, log bytes and log error are taken as linear in log
// lambda and log epochs. `minutes_left` of `minutes` are to come; 0 < minutes.
std::optional<Plan> next_plan(const Goal& goal, const std::vector<Trial>& trials,
                              std::size_t widths, double minutes_left, double minutes);

}  // namespace espalier::apps
