#include "datasets/stratified_split.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.hpp"
#include "datasets/subset.hpp"

namespace espalier::datasets {

SplitIndices stratified_split(std::span<const int> labels, int classes,
                              const SplitOptions& options) {
  require(options.test_share > 0 && options.test_share < 1, "stratified_split",
          "wants a test share above 0 and below 1, got ", options.test_share);
  require(classes >= 1, "stratified_split", "wants at least one class, got ", classes);
  std::vector<std::vector<std::int64_t>> of_class(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] >= 0 && labels[i] < classes, "stratified_split", "label ", i, " is ",
            labels[i], ", wanted 0 to ", classes - 1);
    of_class[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::int64_t>(i));
  }
  SplitIndices result;
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    const auto n = std::ssize(of_class[c]);
    const auto share = std::lrint(static_cast<double>(n) * static_cast<double>(options.test_share));
    const auto test = n < 2 ? std::int64_t{0}
                            : std::clamp<std::int64_t>(share, 1, static_cast<std::int64_t>(n) - 1);
    Rng rng(options.seed, "split." + std::to_string(c));
    const auto order = permutation(n, rng);
    for (std::size_t k = 0; k < order.size(); ++k)
      (static_cast<std::int64_t>(k) < test ? result.test : result.train)
          .push_back(of_class[c][static_cast<std::size_t>(order[k])]);
  }
  require(!result.test.empty(), "stratified_split", "of ", labels.size(), " examples in ", classes,
          " classes none is left for the test; a class needs at least two");
  std::ranges::sort(result.train);
  Rng rng(options.seed, "split.order");
  const auto order = permutation(std::ssize(result.train), rng);
  const auto sorted = result.train;
  for (std::size_t k = 0; k < order.size(); ++k)
    result.train[k] = sorted[static_cast<std::size_t>(order[k])];
  std::ranges::sort(result.test);
  return result;
}

}  // namespace espalier::datasets
