#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "datasets/synthetic_digits.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

bool same(const Example& a, const Example& b) {
  return std::ranges::equal(a.image.values(), b.image.values());
}

}  // namespace

TEST_CASE("synthetic digits: shapes, labels in turn, ink where a digit has it") {
  const auto [train, test] = synthetic_digits({.train = 200, .test = 30});
  CHECK(train->size() == 200);
  CHECK(test->size() == 30);
  CHECK(train->image_shape() == Shape{28, 28, 1});
  CHECK(train->classes() == 10);
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const Example example = train->get(i);
    CHECK(example.label == i % 10);
    float ink = 0;
    for (float value : example.image.values()) {
      CHECK((value >= 0 && value <= 1));
      ink += value;
    }
    CHECK(ink > 20);
    CHECK(ink < 300);
  }
  CHECK_THROWS_AS(synthetic_digits({.train = 0}), Error);
  CHECK_THROWS_AS(synthetic_digits({.test = -1}), Error);
}

TEST_CASE("synthetic digits: the seed decides, a larger set begins with the smaller") {
  const auto small = synthetic_digits({.train = 20, .test = 10, .seed = 4});
  const auto large = synthetic_digits({.train = 40, .test = 20, .seed = 4});
  const auto other = synthetic_digits({.train = 20, .test = 10, .seed = 5});
  for (std::int64_t i = 0; i < 10; ++i) {
    CHECK(same(small.train->get(i), large.train->get(i)));
    CHECK(same(small.test->get(i), large.test->get(i)));
    CHECK(!same(small.train->get(i), small.test->get(i)));
    CHECK(!same(small.train->get(i), other.train->get(i)));
    CHECK(!same(small.train->get(i),
                small.train->get(i + 10)));  // the same digit again, drawn differently
  }
}

TEST_CASE("synthetic digits: the nearest mean knows most test digits, not all") {
  const auto [train, test] = synthetic_digits({.train = 2000, .test = 500});
  std::array<std::array<float, 784>, 10> means{};
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const Example example = train->get(i);
    auto& mean = means[static_cast<std::size_t>(example.label)];
    for (std::size_t k = 0; k < 784; ++k) mean[k] += example.image.values()[k] / 200.0f;
  }
  int right = 0;
  for (std::int64_t i = 0; i < test->size(); ++i) {
    const Example example = test->get(i);
    std::array<float, 10> distance{};
    for (std::size_t d = 0; d < 10; ++d)
      for (std::size_t k = 0; k < 784; ++k) {
        const float delta = example.image.data()[k] - means[d][k];
        distance[d] += delta * delta;
      }
    right += std::ranges::min_element(distance) - distance.begin() == example.label;
  }
  CHECK(right > 350);
  CHECK(right < 495);
}
