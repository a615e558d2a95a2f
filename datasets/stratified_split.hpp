// Training and test examples of one data set, every class in the same proportion.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace espalier::datasets {

struct SplitOptions {
  float test_share = 0.2f;  // of each class, above 0 and below 1
  std::uint64_t seed = 1;
};

struct SplitIndices {
  std::vector<std::int64_t> train;  // in random order: its first or last are a sample of all
  std::vector<std::int64_t> test;   // ascending
};

// Of a class of n examples rint(n * test_share) are drawn for the test, at least 1 and at most
// n - 1; a class of one example goes to training whole. What is drawn of a class depends on (seed,
// class, n) alone, not on the other classes. labels: 0..classes-1. Errors: kUsage for a share or
// label out of range, or when no example is left for the test.
SplitIndices stratified_split(std::span<const int> labels, int classes,
                              const SplitOptions& options = {});

}  // namespace espalier::datasets
