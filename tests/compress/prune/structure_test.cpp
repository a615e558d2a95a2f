#include "compress/prune/structure.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "compress/prune/mask.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using namespace espalier::prune;
namespace {

Tensor random_tensor(const Shape& shape) {
  Rng rng(1, "values");
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.uniform();
  return t;
}

}  // namespace

TEST_CASE("blocks: outputs x inputs at one position, what is left at the edges") {
  const auto matrix = groups_of({3, 5}, Blocks{.outputs = 2, .inputs = 2});
  CHECK(matrix.count == 6);
  const std::vector<std::uint32_t> wanted = {0, 0, 1, 1, 2, /**/ 0, 0, 1, 1, 2, /**/ 3, 3, 4, 4, 5};
  CHECK(matrix.group == wanted);

  // A kernel's positions do not mix.
  const auto kernel = groups_of({2, 1, 2, 4}, Blocks{.outputs = 1, .inputs = 4});
  CHECK(kernel.count == 4);
  CHECK(kernel.group == std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3});
  CHECK(groups_of({3}, Blocks{.outputs = 2, .inputs = 4}).group ==
        std::vector<std::uint32_t>{0, 0, 1});
  CHECK_THROWS_AS(check(Blocks{.outputs = 0}), Error);
}

TEST_CASE("blocks: the score is the mean or the maximum, and whole blocks go") {
  const Tensor scores = Tensor::from({1, 6}, {9, 0, 0, /**/ 4, 4, 4});
  const auto grouping = groups_of(scores.shape(), Blocks{.outputs = 1, .inputs = 3});
  CHECK(pooled(scores, grouping, Blocks::Pool::kMean) == std::vector<float>{3, 4});
  CHECK(pooled(scores, grouping, Blocks::Pool::kMax) == std::vector<float>{9, 4});
  const Tensor mask = mask_without(1, {3, 4}, grouping, scores.shape());
  CHECK(std::ranges::equal(mask.values(), std::vector<float>{0, 0, 0, 1, 1, 1}));

  const Tensor w = random_tensor({16, 3, 3, 8});
  const auto blocks = groups_of(w.shape(), Blocks{.outputs = 4, .inputs = 4});
  const Tensor half = mask_without(36, pooled(w, blocks, Blocks::Pool::kMean), blocks, w.shape());
  CHECK(sparsity_of(half) == 0.5);
  CHECK_THROWS_AS(mask_without(73, std::vector<float>(72), blocks, w.shape()), Error);
}

TEST_CASE("n of m: in each group the best stay, the earlier of equals; short tails keep as many") {
  const Tensor scores = Tensor::from({1, 10}, {1, 3, 2, 4, /**/ 5, 5, 5, 5, /**/ 1, 2});
  const auto grouping = groups_of(scores.shape(), NofM{.keep = 2, .of = 4});
  CHECK(grouping.count == 3);
  CHECK(std::ranges::equal(mask_of_best(2, scores, grouping).values(),
                           std::vector<float>{0, 1, 0, 1, 1, 1, 0, 0, 1, 1}));
  const Tensor w = random_tensor({8, 3, 3, 16});
  const auto fours = groups_of(w.shape(), NofM{.keep = 1, .of = 4});
  const Tensor mask = mask_of_best(1, w, fours);
  for (std::size_t i = 0; i < mask.values().size(); i += 4)
    CHECK(std::ranges::count(mask.values().subspan(i, 4), 1.0f) == 1);
  CHECK_THROWS_AS(check(NofM{.keep = 5, .of = 4}), Error);
  CHECK_THROWS_AS(check(NofM{.keep = 0, .of = 4}), Error);
}
