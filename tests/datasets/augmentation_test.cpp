// What each change does to a picture, and on what it depends.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "datasets/augmentation.hpp"
#include "datasets/in_memory.hpp"
#include "datasets/warp.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

// Image i is [h w c] of i + 1, i + 2, ... (as bytes).
std::shared_ptr<const Dataset> numbered(std::int64_t n, Shape s) {
  Tensor pixels({n, s[0], s[1], s[2]}, DType::kUint8), labels({n}, DType::kUint8);
  for (std::int64_t i = 0; i < n; ++i) {
    labels.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 3);
    for (std::int64_t k = 0; k < s.elements(); ++k)
      pixels.mutable_data<std::uint8_t>()[i * s.elements() + k] =
          static_cast<std::uint8_t>((i + k) % 250 + 1);
  }
  return std::make_shared<InMemory>(pixels, labels, 3);
}

std::vector<float> values(const Tensor& t) {
  return {t.values().begin(), t.values().end()};
}

// After each of `count` seeds.
std::vector<Tensor> outcomes(const Change& change, const Tensor& image, int count) {
  std::vector<Tensor> all;
  for (int seed = 0; seed < count; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed), "test");
    all.push_back(change.apply(image, rng));
    CHECK(all.back().shape() == image.shape());
  }
  return all;
}

std::vector<Change> all_changes() {
  return {flip(), shift(2), rotate(20), scale(), crop(0.7f), noise(0.1f), cutout(3)};
}

}  // namespace

TEST_CASE("Augmentation depends on seed, epoch and index, not on the order of reading") {
  const auto data = numbered(20, {9, 8, 3});
  for (const Change& change : all_changes()) {
    const auto image = [&](AugmentationOptions options, std::int64_t i) {
      return values(Augmentation(data, {change}, options).get(i).image);
    };
    const Augmentation augmented(data, {change}, {.seed = 5, .epoch = 2});
    augmented.get(3);
    int by_epoch = 0, by_seed = 0, changed = 0;
    for (std::int64_t i = 19; i >= 0; --i) {
      const auto here = values(augmented.get(i).image);
      CHECK(here == image({.seed = 5, .epoch = 2}, i));
      CHECK(augmented.get(i).label == data->get(i).label);
      by_epoch += here != image({.seed = 5, .epoch = 3}, i);
      by_seed += here != image({.seed = 6, .epoch = 2}, i);
      changed += here != values(data->get(i).image);
      CHECK(std::ranges::all_of(here, [](float v) { return v >= 0 && v <= 1; }));
    }
    CHECK_MESSAGE(by_epoch > 4, change.name);
    CHECK_MESSAGE(by_seed > 4, change.name);
    CHECK_MESSAGE(changed > 4, change.name);
  }
}

TEST_CASE("Augmentation: one more change in the list moves none of the others") {
  const auto data = numbered(20, {9, 8, 3});
  const Change draws{"draws", [](const Tensor& image, Rng& rng) {
                       for (int k = 0; k < 7; ++k) rng.uniform();
                       return image;
                     }};
  for (const Change& change : all_changes())
    for (std::int64_t i = 0; i < 20; ++i)
      CHECK(values(Augmentation(data, {draws, change}).get(i).image) ==
            values(Augmentation(data, {change}).get(i).image));
}

TEST_CASE("Augmentation: a change that is listed twice draws twice") {
  const auto data = numbered(40, {9, 8, 3});
  int once = 0;
  for (std::int64_t i = 0; i < 40; ++i)  // the same draw twice would undo every flip
    once += values(Augmentation(data, {flip(), flip()}).get(i).image) != values(data->get(i).image);
  CHECK(once > 8);
  CHECK(once < 32);
}

TEST_CASE("flip: half of the images, mirrored") {
  const Tensor image = Tensor::from({1, 3, 2}, {1, 2, 3, 4, 5, 6});
  int mirrored = 0;
  for (const Tensor& t : outcomes(flip(), image, 1000)) {
    const bool turned = values(t) == std::vector<float>{5, 6, 3, 4, 1, 2};
    mirrored += turned;
    CHECK((turned || values(t) == values(image)));
  }
  CHECK(std::abs(mirrored - 500) < 80);
}

TEST_CASE("warped: the identity keeps every bit, a quarter turn moves pixels") {
  const Tensor image = Tensor::from({3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(values(warped(image, {})) == values(image));
  CHECK(values(warped(image, {.xx = 0, .xy = 1, .yx = -1, .yy = 0})) ==
        std::vector<float>{7, 4, 1, 8, 5, 2, 9, 6, 3});
  // Half as large: zeros all round.
  CHECK(values(warped(image, {.xx = 2, .xy = 0, .yx = 0, .yy = 2})) ==
        std::vector<float>{0, 0, 0, 0, 5, 0, 0, 0, 0});
}

TEST_CASE("rotate and scale: a disc in the middle stays where it is") {
  Tensor image({21, 21, 1});
  for (int y = 0; y < 21; ++y)
    for (int x = 0; x < 21; ++x)
      image.mutable_data()[y * 21 + x] = std::hypot(x - 10, y - 10) < 5 ? 1.0f : 0.0f;
  const auto mass = [](const Tensor& t) {
    return std::accumulate(t.values().begin(), t.values().end(), 0.0);
  };
  for (const Tensor& t : outcomes(rotate(180), image, 50)) {
    CHECK(mass(t) == doctest::Approx(mass(image)).epsilon(0.05));
    CHECK(t.values()[10 * 21 + 10] == doctest::Approx(1));
    CHECK(t.values()[10 * 21 + 2] == doctest::Approx(0));
  }
  double smallest = 1e9, largest = 0;
  for (const Tensor& t : outcomes(scale({.smallest = 0.5f, .largest = 2}), image, 200)) {
    smallest = std::min(smallest, mass(t)), largest = std::max(largest, mass(t));
    CHECK(t.values()[10 * 21 + 10] == doctest::Approx(1));
  }
  CHECK(smallest / mass(image) < 0.4);
  CHECK(smallest / mass(image) > 0.2);
  CHECK(largest / mass(image) > 3);
  CHECK(largest / mass(image) < 4.4);
}

TEST_CASE("crop: a window within the picture, at every place") {
  // Its brightness falls from left to right: the window's place shows in its mean.
  Tensor image({1, 10, 1});
  for (int x = 0; x < 10; ++x) image.mutable_data()[x] = static_cast<float>(x) / 10;
  std::set<int> starts;
  for (const Tensor& t : outcomes(crop(0.5f), image, 300)) {
    const auto v = values(t);
    CHECK(std::ranges::is_sorted(v));
    CHECK(v.front() >= 0);
    CHECK(v.back() <= 0.9f);
    starts.insert(static_cast<int>(std::lround(v.front() * 10)));
  }
  CHECK(starts.size() >= 5);
  for (const Tensor& t : outcomes(crop(1), image, 5)) CHECK(values(t) == values(image));
}

TEST_CASE("noise has its deviation; cutout zeroes a square that the border may cut") {
  const Tensor grey = Tensor::full({100, 100, 1}, 0.5f);
  const auto noisy = values(outcomes(noise(0.1f), grey, 1)[0]);
  double sum = 0, squares = 0;
  for (const float v : noisy) sum += v - 0.5, squares += (v - 0.5) * (v - 0.5);
  CHECK(std::abs(sum / 1e4) < 0.005);
  CHECK(std::sqrt(squares / 1e4) == doctest::Approx(0.1).epsilon(0.05));
  const Tensor image = Tensor::full({6, 8, 2}, 1);
  std::set<std::int64_t> areas;
  for (const Tensor& t : outcomes(cutout(4), image, 300))
    areas.insert(std::ranges::count(values(t), 0.0f) / 2);
  CHECK(*areas.rbegin() == 16);
  CHECK(*areas.begin() >= 4);
  CHECK(areas.size() > 3);
}

TEST_CASE("changes refuse what they cannot do") {
  CHECK_THROWS_AS(flip(1.1f), Error);
  CHECK_THROWS_AS(shift(-1), Error);
  CHECK_THROWS_AS(rotate(181), Error);
  CHECK_THROWS_AS(scale({.smallest = 0, .largest = 1}), Error);
  CHECK_THROWS_AS(scale({.smallest = 2, .largest = 1}), Error);
  CHECK_THROWS_AS(crop(0), Error);
  CHECK_THROWS_AS(noise(-0.1f), Error);
  CHECK_THROWS_AS(cutout(0), Error);
  CHECK_THROWS_AS(Augmentation(nullptr, {}), Error);
  const Change odd{"odd", [](const Tensor&, Rng&) { return Tensor({1, 1, 1}); }};
  CHECK_THROWS_AS(Augmentation(numbered(1, {2, 2, 1}), {odd}).get(0), Error);
}
