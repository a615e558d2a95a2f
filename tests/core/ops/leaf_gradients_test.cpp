// Gradients that are kept beside their leaves.
#include <doctest/doctest.h>

#include <array>
#include <thread>
#include <vector>

#include "core/ops/ops.hpp"

using namespace espalier;
namespace {

Variable leaf(std::initializer_list<float> values) {
  return Variable(Tensor::from({static_cast<std::int64_t>(values.size())}, values), true);
}

std::vector<float> gradient(const Variable& v) {
  return {v.gradient().values().begin(), v.gradient().values().end()};
}

}  // namespace

TEST_CASE("gradients beside the leaves: weighted, added when given, forgotten then") {
  Variable a = leaf({1, 2}), b = leaf({3, 5});
  const std::array leaves{a, b};
  LeafGradients beside(leaves);
  const auto loss = [&] { return ops::sum(ops::multiply(a, ops::multiply(a, b))); };  // a^2 b
  backward(loss(), 0.5f, beside);
  CHECK(!a.gradient().defined());
  CHECK(!b.gradient().defined());
  backward(loss(), 0.25f, beside);
  beside.give_to_leaves();
  CHECK(gradient(a) == std::vector<float>{4.5f, 15});  // 0.75 * 2 a b
  CHECK(gradient(b) == std::vector<float>{0.75f, 3});  // 0.75 a^2
  beside.give_to_leaves();
  CHECK(gradient(b) == std::vector<float>{0.75f, 3});
  backward(loss(), 1, beside);
  beside.clear();
  beside.give_to_leaves();
  CHECK(gradient(b) == std::vector<float>{0.75f, 3});
  backward(loss(), 1, beside);
  beside.give_to_leaves();
  CHECK(gradient(b) == std::vector<float>{1.75f, 7});
}

TEST_CASE("gradients beside the leaves: a loss that is a leaf, and leaves that are not meant") {
  Variable a = leaf({2}), other = leaf({3});
  LeafGradients beside(std::array{a});
  backward(a, 0.5f, beside);
  beside.give_to_leaves();
  CHECK(gradient(a) == std::vector<float>{0.5f});
  CHECK_THROWS_WITH_AS(backward(ops::multiply(a, other), 1, beside),
                       doctest::Contains("is none of those that it is wanted of"), Error);
  CHECK_THROWS_WITH_AS(LeafGradients(std::array{Variable(Tensor({2}))}),
                       doctest::Contains("needs no gradient"), Error);
}

TEST_CASE("gradients beside the leaves: threads differentiate to the same ones at once") {
  Variable a = leaf({1, 2, 3});
  const std::array leaves{a};
  constexpr int kThreads = 4, kRuns = 50;
  std::vector<LeafGradients> beside(kThreads, LeafGradients(leaves));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < kRuns; ++i)
          backward(ops::sum(ops::multiply(a, a)), 1, beside[static_cast<std::size_t>(t)]);
      });
  }
  for (LeafGradients& part : beside) part.give_to_leaves();
  CHECK(gradient(a) == std::vector<float>{400, 800, 1200});
}
