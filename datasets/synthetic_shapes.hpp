// Coloured shapes on coloured ground: pictures of ten classes where there are none of one's own.
#pragma once

#include <string>
#include <vector>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

struct SyntheticShapesOptions {
  std::int64_t train = 10000;  // examples; the kinds take turns: label = i mod 10
  std::int64_t test = 2000;
  std::uint64_t seed = 1;
};

// "arrow", "bar", "crescent", "cross", "disc", "hexagon", "ring", "square", "star", "triangle".
const std::vector<std::string>& shape_names();

// [32 32 3]. Each shape has a random place, size, proportion, rotation and colour; the ground, darker,
// is a slope between two random colours, crossed by up to two lines of others; all has noise. Image i depends
// on (seed, train or test, i) alone: a larger set begins with the smaller one.
// Errors: kUsage when a count is not 1 to 1,000,000.
TrainTest synthetic_shapes(SyntheticShapesOptions options = {});

}  // namespace espalier::datasets
