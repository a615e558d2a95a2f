#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/base/rng.hpp"
#include "datasets/in_memory.hpp"
#include "datasets/shift_augmentation.hpp"
#include "datasets/subset.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

// Image i is [2 3 1] and holds 10 i, 10 i + 1, ...; its label is i mod 4.
std::shared_ptr<const Dataset> numbered(int n) {
  std::vector<std::uint8_t> pixels, labels;
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < 6; ++k) pixels.push_back(static_cast<std::uint8_t>(10 * i + k));
    labels.push_back(static_cast<std::uint8_t>(i % 4));
  }
  return std::make_shared<InMemory>(Tensor::from<std::uint8_t>({n, 2, 3}, pixels),
                                    Tensor::from<std::uint8_t>({n}, labels), 4);
}

int first_pixel(const Dataset& dataset, std::int64_t i) {
  return static_cast<int>(dataset.get(i).image.values()[0] * 255.0f + 0.5f);
}

std::vector<int> first_pixels(const Dataset& dataset) {
  std::vector<int> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) all.push_back(first_pixel(dataset, i));
  return all;
}

template <class F>
ErrorKind kind_of(F action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;  // it was accepted
}

Tensor bytes(Shape shape, std::vector<std::uint8_t> values) {
  return Tensor::from<std::uint8_t>(shape, values);
}

}  // namespace

TEST_CASE("InMemory: bytes become floats of 0..1, indices are checked") {
  const auto data = numbered(5);
  CHECK(data->size() == 5);
  CHECK(data->classes() == 4);
  CHECK(data->image_shape() == Shape{2, 3, 1});
  CHECK(data->get(4).image.shape() == Shape{2, 3, 1});
  CHECK(data->get(4).image.values()[5] == 45.0f / 255.0f);
  CHECK(data->get(4).label == 0);
  CHECK(kind_of([&] { data->get(5); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { data->get(-1); }) == ErrorKind::kUsage);
  const InMemory color(bytes({1, 1, 1, 3}, {0, 255, 51}), bytes({1}, {0}), 1);
  CHECK(color.image_shape() == Shape{1, 1, 3});
  CHECK(color.get(0).image.values()[1] == 1.0f);
}

TEST_CASE("InMemory: counts, types and labels that do not fit are refused by name") {
  const Tensor two = bytes({2, 1, 1}, {1, 2});
  CHECK(kind_of([&] { InMemory(two, bytes({1}, {0}), 2); }) == ErrorKind::kCorrupt);
  CHECK(kind_of([&] { InMemory(two, bytes({2}, {0, 2}), 2); }) == ErrorKind::kCorrupt);
  CHECK(kind_of([&] { InMemory(two, bytes({2, 1}, {0, 1}), 2); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { InMemory(bytes({2}, {0, 1}), bytes({2}, {0, 1}), 2); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { InMemory(Tensor({2, 1, 1}), bytes({2}, {0, 1}), 2); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { InMemory(Tensor(), Tensor(), 2); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { InMemory(two, bytes({2}, {0, 1}), 0); }) == ErrorKind::kUsage);
  CHECK_THROWS_WITH(InMemory(two, bytes({2}, {0, 9}), 2, "l.gz"),
                    "l.gz: label 1 is 9, wanted 0 to 1");
}

TEST_CASE("collate: images and labels in the order asked for") {
  const auto data = numbered(6);
  const std::vector<std::int64_t> indices = {5, 0, 5};
  const Batch batch = collate(*data, indices);
  CHECK(batch.images.shape() == Shape{3, 2, 3, 1});
  CHECK(batch.labels == std::vector<int>{1, 0, 1});
  CHECK(batch.images.values()[0] == 50.0f / 255.0f);
  CHECK(batch.images.values()[11] == 5.0f / 255.0f);
  CHECK(kind_of([&] { collate(*data, {}); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { collate(*data, std::vector<std::int64_t>{6}); }) == ErrorKind::kUsage);
}

TEST_CASE("a permutation holds every index once, and only the seed decides it") {
  Rng a(3, "shuffle"), b(3, "shuffle");
  const auto order = permutation(1000, a);
  CHECK(order == permutation(1000, b));
  CHECK(order != permutation(1000, a));  // the next epoch
  auto sorted = order;
  std::ranges::sort(sorted);
  for (std::int64_t i = 0; i < 1000; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
  CHECK(permutation(0, a).empty());
}

TEST_CASE("a permutation favours no place") {
  Rng rng(1, "shuffle");
  std::vector<int> counts(9);
  for (int n = 0; n < 30000; ++n) {
    const auto order = permutation(3, rng);
    for (std::size_t k = 0; k < 3; ++k) ++counts[3 * k + static_cast<std::size_t>(order[k])];
  }
  for (int count : counts) CHECK(std::abs(count - 10000) < 400);
}

TEST_CASE("first, shuffled and split keep every example") {
  const auto data = numbered(10);
  CHECK(first_pixels(*first(data, 3)) == std::vector<int>{0, 10, 20});
  Rng rng(1, "split");
  auto mixed = first_pixels(*shuffled(data, rng));
  CHECK(mixed != first_pixels(*data));
  std::ranges::sort(mixed);
  CHECK(mixed == first_pixels(*data));

  const auto [drawn, others] = split(data, 4, rng);
  CHECK(drawn->size() == 4);
  CHECK(others->size() == 6);
  auto all = first_pixels(*drawn);
  for (int value : first_pixels(*others)) all.push_back(value);
  std::ranges::sort(all);
  CHECK(all == first_pixels(*data));
  CHECK(drawn->classes() == 4);
  CHECK(kind_of([&] { split(data, 11, rng); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { first(data, -1); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { Subset(data, {10}); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { drawn->get(4); }) == ErrorKind::kUsage);
}

TEST_CASE("shifted moves pixels and fills with zeros") {
  const Tensor image = Tensor::from({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const auto is = [](const Tensor& tensor, std::vector<float> wanted) {
    return std::ranges::equal(tensor.values(), wanted);
  };
  CHECK(is(shifted(image, 0, 0), {1, 2, 3, 4, 5, 6}));
  CHECK(is(shifted(image, 1, 0), {0, 0, 0, 1, 2, 3}));
  CHECK(is(shifted(image, -1, 1), {0, 4, 5, 0, 0, 0}));
  CHECK(is(shifted(image, 0, -2), {3, 0, 0, 6, 0, 0}));
  CHECK(is(shifted(image, 0, 9), {0, 0, 0, 0, 0, 0}));
  CHECK(is(shifted(Tensor::from({1, 2, 2}, {1, 2, 3, 4}), 0, 1), {0, 0, 1, 2}));
}

TEST_CASE("ShiftAugmentation depends on seed, epoch and index, not on the order of reading") {
  const auto data = numbered(20);
  const auto image = [&](ShiftOptions options, std::int64_t i) {
    const auto values = ShiftAugmentation(data, options).get(i).image;
    return std::vector<float>(values.values().begin(), values.values().end());
  };
  const ShiftAugmentation augmented(data, {.seed = 5});
  CHECK(augmented.get(7).label == data->get(7).label);
  augmented.get(3);
  int epoch_differs = 0, seed_differs = 0;
  for (std::int64_t i = 0; i < 20; ++i) {
    CHECK(std::ranges::equal(augmented.get(i).image.values(), image({.seed = 5}, i)));
    epoch_differs += image({.seed = 5}, i) != image({.seed = 5, .epoch = 1}, i);
    seed_differs += image({.seed = 5}, i) != image({.seed = 6}, i);
    CHECK(std::ranges::equal(image({.max_shift_pixels = 0}, i), data->get(i).image.values()));
  }
  CHECK(epoch_differs > 5);
  CHECK(seed_differs > 5);
  // Of a thousand images, three in ten move: 8 of 9 shifts change one.
  const auto many = numbered(1000);
  const ShiftAugmentation some(many, {.share = 0.3f});
  int moved = 0;
  for (std::int64_t i = 0; i < 1000; ++i)
    moved += !std::ranges::equal(some.get(i).image.values(), many->get(i).image.values());
  CHECK(moved > 200);
  CHECK(moved < 330);
  CHECK(kind_of([&] { ShiftAugmentation(data, {.share = 1.5f}); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { ShiftAugmentation(data, {.max_shift_pixels = 2}); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { ShiftAugmentation(data, {.max_shift_pixels = -1}); }) == ErrorKind::kUsage);
}

TEST_CASE("possible_shift: as far as an image can move") {
  CHECK(possible_shift(2, {28, 28, 1}) == 2);
  CHECK(possible_shift(2, {28, 2, 1}) == 1);
  CHECK(possible_shift(2, {1, 1, 30}) == 0);
}

TEST_CASE("for_each_batch: the first examples in order, the last batch smaller") {
  const auto data = numbered(7);
  std::vector<int> sizes, labels;
  for_each_batch(*data, 5, 2, [&](const Batch& batch) {
    CHECK(batch.images.shape()[0] == std::ssize(batch.labels));
    sizes.push_back(static_cast<int>(batch.labels.size()));
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
  });
  CHECK(sizes == std::vector<int>{2, 2, 1});
  CHECK(labels == std::vector<int>{0, 1, 2, 3, 0});
  for_each_batch(*data, 0, 2, [&](const Batch&) { FAIL("there is none"); });
  CHECK(kind_of([&] { for_each_batch(*data, 8, 2, [](const Batch&) {}); }) == ErrorKind::kUsage);
  CHECK(kind_of([&] { for_each_batch(*data, 7, 0, [](const Batch&) {}); }) == ErrorKind::kUsage);
}
