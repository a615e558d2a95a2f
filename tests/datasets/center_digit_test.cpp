// Resizing, and any picture of a digit to MNIST's form.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/base/rng.hpp"
#include "datasets/center_digit.hpp"
#include "datasets/resize.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

Tensor random_image(Shape shape) {
  Rng rng(1, "image");
  Tensor image(shape);
  for (float& v : image.mutable_values()) v = rng.uniform();
  return image;
}

// A bar of `ink` on `paper`.
Tensor bar(std::int64_t height, std::int64_t width, std::int64_t top, std::int64_t left,
           std::int64_t bar_height, std::int64_t bar_width, float paper, float ink) {
  Tensor image = Tensor::full({height, width, 1}, paper);
  for (std::int64_t y = top; y < top + bar_height; ++y)
    for (std::int64_t x = left; x < left + bar_width; ++x)
      image.mutable_data()[y * width + x] = ink;
  return image;
}

struct Mass {
  double sum = 0, y = 0, x = 0;
};
Mass mass(const Tensor& image) {
  Mass m;
  for (std::int64_t i = 0; i < image.elements(); ++i) {
    const double v = image.data()[i];
    m.sum += v, m.y += v * static_cast<double>(i / image.shape()[1]),
        m.x += v * static_cast<double>(i % image.shape()[1]);
  }
  m.y /= m.sum, m.x /= m.sum;
  return m;
}

}  // namespace

TEST_CASE("resize: the same size changes nothing; constants stay; nothing leaves the range") {
  const Tensor image = random_image({9, 7, 3});
  CHECK(std::ranges::equal(resize(image, 9, 7).values(), image.values()));
  for (auto [h, w] : {std::pair{1, 1}, {3, 20}, {28, 28}, {8, 7}}) {
    const Tensor flat = resize(Tensor::full({9, 7, 3}, 0.7f), h, w);
    CHECK(flat.shape() == Shape{h, w, 3});
    for (const float v : flat.values()) CHECK(v == doctest::Approx(0.7f).epsilon(1e-6));
    for (const float v : resize(image, h, w).values()) CHECK((v >= 0 && v <= 1));
  }
  CHECK_THROWS_AS(resize(image, 0, 7), Error);
  CHECK_THROWS_AS(resize(Tensor({3, 3}), 2, 2), Error);
}

TEST_CASE("resize: the triangle's weights, worked by hand") {
  // 4 to 2: centres 0.5 and 2.5, reach 2: weights .75 .75 .25 over 1.75, and mirrored.
  const Tensor down = resize(Tensor::from({1, 4, 1}, {1, 2, 3, 4}), 1, 2);
  CHECK(down.values()[0] == doctest::Approx((0.75 * 1 + 0.75 * 2 + 0.25 * 3) / 1.75));
  CHECK(down.values()[1] == doctest::Approx((0.25 * 2 + 0.75 * 3 + 0.75 * 4) / 1.75));
  // 2 to 4: centres -0.25, 0.25, 0.75, 1.25: linear between, constant beyond.
  const Tensor up = resize(Tensor::from({2, 1, 1}, {0, 1}), 4, 1);
  const float wanted[] = {0, 0.25f, 0.75f, 1};
  for (std::size_t i = 0; i < 4; ++i) CHECK(up.values()[i] == doctest::Approx(wanted[i]));
}

TEST_CASE("resize: every input pixel counts when shrinking: fine stripes become grey") {
  Tensor stripes({1, 400, 1});
  for (std::int64_t i = 0; i < 400; i += 2) stripes.mutable_data()[i] = 1;
  for (const float v : resize(stripes, 1, 10).values()) CHECK(std::abs(v - 0.5f) < 0.02f);
}

TEST_CASE("center_digit: 20 pixels high, proportions kept, the mass in the middle") {
  const auto digit = center_digit(bar(300, 200, 20, 150, 200, 40, 0, 1), false, "bar");
  CHECK(!digit.inverted);
  CHECK(!digit.taken_as_is);
  CHECK(digit.image.shape() == Shape{28, 28, 1});
  const Mass m = mass(digit.image);
  CHECK(m.sum == doctest::Approx(20 * 4).epsilon(0.02));
  CHECK(std::abs(m.y - 14) <= 0.5);
  CHECK(std::abs(m.x - 14) <= 0.5);
  CHECK(*std::ranges::max_element(digit.image.values()) == 1.0f);
}

TEST_CASE("center_digit: dark on light is found, and --invert turns the verdict round") {
  const Tensor light = bar(60, 60, 10, 25, 40, 10, 0.1f, 0.8f);
  const Tensor dark = bar(60, 60, 10, 25, 40, 10, 0.9f, 0.2f);
  const auto a = center_digit(light, false, "light"), b = center_digit(dark, false, "dark");
  CHECK(!a.inverted);
  CHECK(b.inverted);
  for (std::size_t i = 0; i < 784; ++i)
    CHECK(a.image.values()[i] == doctest::Approx(b.image.values()[i]).epsilon(1e-5));
  // Grey paper with light and dark: forced, the other half is the ink.
  Tensor both = bar(60, 60, 5, 5, 50, 10, 0.6f, 1.0f);
  for (std::int64_t y = 20; y < 40; ++y)
    for (std::int64_t x = 30; x < 50; ++x) both.mutable_data()[y * 60 + x] = 0;
  const auto found = center_digit(both, false, "both"), forced = center_digit(both, true, "both");
  CHECK(found.inverted != forced.inverted);
  CHECK(mass(found.image).sum != doctest::Approx(mass(forced.image).sum));
}

TEST_CASE("center_digit: MNIST's own form passes unchanged, also printed dark on light") {
  const Tensor image = bar(28, 28, 5, 9, 15, 6, 0, 0.9f);  // not centred: it stays so
  const auto same = center_digit(image, false, "mnist");
  CHECK(same.taken_as_is);
  CHECK(std::ranges::equal(same.image.values(), image.values()));
  Tensor negative = image.clone();
  for (float& v : negative.mutable_values()) v = 1 - v;
  const auto back = center_digit(negative, false, "negative");
  CHECK(back.taken_as_is);
  CHECK(back.inverted);
  for (std::size_t i = 0; i < 784; ++i)
    CHECK(back.image.values()[i] == doctest::Approx(image.values()[i]).epsilon(1e-6));
}

TEST_CASE("center_digit: extremes: one pixel, a line, a blank page") {
  CHECK(mass(center_digit(bar(100, 100, 3, 90, 1, 1, 0, 1), false, "dot").image).sum ==
        doctest::Approx(400));  // a dot fills the box, as MNIST's method has it
  const auto line = center_digit(bar(300, 4000, 100, 10, 2, 3900, 1, 0), false, "line");
  CHECK(line.inverted);
  CHECK(mass(line.image).sum == doctest::Approx(20).epsilon(0.1));
  for (const float grey : {0.0f, 0.5f, 1.0f})
    for (const std::int64_t side : {1, 28, 50}) {
      try {
        center_digit(Tensor::full({side, side, 1}, grey), false, "blank.png");
        FAIL("was accepted");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::kUsage);
        CHECK(std::string(error.what()).starts_with("blank.png"));
      }
    }
}
