// How long each stage trains, and how.
#pragma once

#include <string>

#include "compress/prune/pruner.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

struct Recipe {
  training::FitOptions baseline, pruning, quantizing;
  double sparsity = 0;  // zeros among all weights after pruning, a fraction
};

// model: "small", "large", or anything else for the user's own, which trains like the small one.
// The fits run with seeds `seed`, `seed` + 1 and `seed` + 2.
Recipe recipe_for(const std::string& model, std::uint64_t seed);

// Prunes to at least `sparsity` of all weights: polynomial from 50 %, reached at half-time.
prune::Pruner::Options pruner_for(Sequential& model, double sparsity);

}  // namespace espalier::apps
