#include "datasets/center_digit.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "datasets/resize.hpp"

namespace espalier::datasets {
namespace {

constexpr std::int64_t kSide = 28, kBox = 20;
constexpr float kInk = 0.1f;  // of the strongest

struct Box {
  std::int64_t top, left, bottom, right;  // inclusive
};

std::vector<float> border(const Tensor& image) {
  const std::int64_t h = image.shape()[0], w = image.shape()[1];
  std::vector<float> values;
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x)
      if (y == 0 || x == 0 || y == h - 1 || x == w - 1) values.push_back(image.data()[y * w + x]);
  return values;
}

double mean(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

// Paper becomes 0, the strongest ink 1. Returns whether there is any ink.
bool stretch(Tensor& image, float paper) {
  auto values = image.mutable_values();
  const float range = *std::ranges::max_element(values) - paper;
  if (!(range > 0)) return false;
  for (float& v : values) {
    v = (v - paper) / range;
    if (v < kInk) v = 0;
  }
  return true;
}

Box ink_box(const Tensor& image) {
  const std::int64_t h = image.shape()[0], w = image.shape()[1];
  Box box{h, w, -1, -1};
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x)
      if (image.data()[y * w + x] > 0)
        box = {std::min(box.top, y), std::min(box.left, x), std::max(box.bottom, y),
               std::max(box.right, x)};
  return box;
}

Tensor crop(const Tensor& image, Box b) {
  Tensor out({b.bottom - b.top + 1, b.right - b.left + 1, 1});
  const std::int64_t width = out.shape()[1], stride = image.shape()[1];
  for (std::int64_t y = b.top; y <= b.bottom; ++y)
    std::copy_n(image.data() + y * stride + b.left, width,
                out.mutable_data() + (y - b.top) * width);
  return out;
}

// The digit so that its centre of mass lies in the middle, as far as the frame allows.
Tensor place(const Tensor& digit) {
  const std::int64_t h = digit.shape()[0], w = digit.shape()[1];
  double mass = 0, mass_y = 0, mass_x = 0;
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x) {
      const double ink = digit.data()[y * w + x];
      mass += ink, mass_y += ink * static_cast<double>(y), mass_x += ink * static_cast<double>(x);
    }
  const auto offset = [](double center, std::int64_t size) {
    const double middle = static_cast<double>(kSide) / 2;  // MNIST's own: its mean is (14.0, 14.0)
    return std::clamp<std::int64_t>(std::llround(middle - center), 0, kSide - size);
  };
  const std::int64_t top = offset(mass_y / mass, h), left = offset(mass_x / mass, w);
  Tensor out({kSide, kSide, 1});
  for (std::int64_t y = 0; y < h; ++y)
    std::copy_n(digit.data() + y * w, w, out.mutable_data() + (top + y) * kSide + left);
  return out;
}

}  // namespace

CenteredDigit center_digit(const Tensor& image, bool invert, const std::string& name) {
  require(image.shape().rank() == 3 && image.shape()[2] == 1 && image.elements() > 0,
          "center_digit", name, ": wants a grey image [H W 1], got ", image.shape());
  const auto edge = border(image);
  CenteredDigit result{image.clone(), mean(edge) > mean(image.values()), false};
  result.inverted = result.inverted != invert;
  if (result.inverted)
    for (float& v : result.image.mutable_values()) v = 1 - v;

  auto paper = border(result.image);
  const bool black_border = mean(paper) < kInk;
  const auto middle = paper.begin() + static_cast<std::ptrdiff_t>(paper.size() / 2);
  std::ranges::nth_element(paper, middle);
  if (image.shape() == Shape{kSide, kSide, 1} && black_border && mean(result.image.values()) > 0) {
    result.taken_as_is = true;
    return result;
  }
  const auto [least, most] = std::ranges::minmax(image.values());
  require(least < most, name,
          "is blank: every pixel has the same brightness; is it the right file?");
  require(stretch(result.image, *middle), name,
          "shows no ink that differs from its border; is the digit cut off? (--invert turns "
          "light and dark round)");
  const Tensor digit = crop(result.image, ink_box(result.image));
  const double h = static_cast<double>(digit.shape()[0]), w = static_cast<double>(digit.shape()[1]);
  const double factor = static_cast<double>(kBox) / std::max(h, w);
  const auto scaled = [&](double size) {
    return std::max<std::int64_t>(1, std::llround(size * factor));
  };
  Tensor small = resize(digit, scaled(h), scaled(w));
  stretch(small, 0);  // thin lines of a large picture became faint
  result.image = place(small);
  return result;
}

}  // namespace espalier::datasets
