// A few values that stand for many: how they are found, and which one stands for which.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/rng.hpp"

namespace espalier::cluster {

enum class Init {
  kLinear,          // evenly from the smallest to the largest value
  kRandom,          // uniform between them
  kDensity,         // at even shares of the values: (i + 1/2) / k of them lie below
  kKMeansPlusPlus,  // spread by squared distance (Arthur & Vassilvitskii 2007), then Lloyd's steps
};

// k centroids, ascending. Of fewer than k distinct values, some centroids are equal. Errors: kUsage
// for k < 1 or no values; kDiverged for a value that is not finite.
std::vector<float> initial_centroids(std::span<const float> values, int k, Init init, Rng& rng);

// Lloyd 1982: each centroid becomes the mean of the values nearest to it, until none moves or
// `rounds` are over. Ascending; one that no value is nearest to stays.
void lloyd(std::vector<float>& centroids, std::span<const float> values, int rounds);

// The place of the nearest centroid (ascending); of two the lower.
std::size_t nearest(std::span<const float> centroids, float value);

}  // namespace espalier::cluster
