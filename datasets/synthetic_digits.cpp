#include "datasets/synthetic_digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/base/rng.hpp"
#include "datasets/in_memory.hpp"

namespace espalier::datasets {
namespace {

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;
constexpr float kPi = 3.14159265f;
constexpr std::uint64_t kDrawsPerImage = 4096;  // more than one image takes (about 1600)

struct Point {
  float x, y;  // the digit fills about -0.6..0.6 across and -1..1 down
};
using Stroke = std::vector<Point>;

Stroke line(std::initializer_list<Point> corners) {
  Stroke stroke;
  for (const Point* b = corners.begin() + 1; b != corners.end(); ++b)
    for (int k = 0; k <= 8; ++k) {
      const float t = static_cast<float>(k) / 8;
      const Point& a = b[-1];
      stroke.push_back({a.x + (b->x - a.x) * t, a.y + (b->y - a.y) * t});
    }
  return stroke;
}

// Part of an ellipse; angles in quarter turns, 0 points right, 1 points down.
Stroke arc(Point center, Point radius, float from, float to) {
  Stroke stroke;
  for (int k = 0; k <= 24; ++k) {
    const float angle = (from + (to - from) * static_cast<float>(k) / 24) * kPi / 2;
    stroke.push_back(
        {center.x + radius.x * std::cos(angle), center.y + radius.y * std::sin(angle)});
  }
  return stroke;
}

std::vector<Stroke> skeleton(int digit) {
  switch (digit) {
    case 0:
      return {arc({0, 0}, {0.6f, 1}, 0, 4)};
    case 1:
      return {line({{-0.3f, -0.6f}, {0.05f, -1}, {0.05f, 1}})};
    case 2:
      return {arc({0, -0.45f}, {0.55f, 0.55f}, -2, 0.5f),
              line({{0.39f, -0.06f}, {-0.6f, 1}, {0.65f, 1}})};
    case 3:
      return {arc({-0.05f, -0.5f}, {0.55f, 0.5f}, -1.8f, 1),
              arc({-0.05f, 0.5f}, {0.6f, 0.5f}, -1, 1.8f)};
    case 4:
      return {line({{0.2f, -1}, {-0.6f, 0.3f}, {0.65f, 0.3f}}), line({{0.3f, -0.3f}, {0.3f, 1}})};
    case 5:
      return {line({{0.55f, -1}, {-0.4f, -1}, {-0.45f, -0.1f}}),
              arc({-0.05f, 0.4f}, {0.6f, 0.6f}, -1.5f, 1.7f)};
    case 6:
      return {arc({0.5f, 0.4f}, {1.1f, 1.4f}, -2, -1.05f), arc({0, 0.45f}, {0.58f, 0.55f}, 0, 4)};
    case 7:
      return {line({{-0.6f, -1}, {0.6f, -1}, {-0.1f, 1}})};
    case 8:
      return {arc({0, -0.5f}, {0.48f, 0.48f}, 0, 4), arc({0, 0.5f}, {0.58f, 0.52f}, 0, 4)};
    default:
      return {arc({0, -0.42f}, {0.55f, 0.55f}, 0, 4),
              line({{0.55f, -0.42f}, {0.5f, 0.3f}, {0.25f, 1}})};
  }
}

// From the skeleton's plane to pixels. The elastic part moves each axis by two plane waves.
class Warp {
 public:
  explicit Warp(Rng& rng) {
    for (auto& axis : waves_)
      for (auto& wave : axis)
        wave = {rng.uniform(-2.2f, 2.2f), rng.uniform(-2.2f, 2.2f), rng.uniform(0, 2 * kPi),
                0.07f * rng.normal()};
    const float angle = 0.15f * rng.normal(), slant = 0.15f + 0.15f * rng.normal();
    const float size = rng.uniform(7.8f, 10.2f), aspect = rng.uniform(0.8f, 1.2f);
    const float c = std::cos(angle), s = std::sin(angle);
    xx_ = size * aspect * c;
    xy_ = size * (-slant * c - s);
    yx_ = size * aspect * s;
    yy_ = size * (-slant * s + c);
    center_ = {13.5f + rng.normal(), 13.5f + rng.normal()};
  }

  Point operator()(Point p) const {
    const float x = p.x + bend(waves_[0], p), y = p.y + bend(waves_[1], p);
    return {center_.x + xx_ * x + xy_ * y, center_.y + yx_ * x + yy_ * y};
  }

 private:
  struct Wave {
    float kx, ky, phase, amplitude;
  };
  static float bend(const std::array<Wave, 2>& waves, Point p) {
    float sum = 0;
    for (const Wave& w : waves) sum += w.amplitude * std::sin(w.kx * p.x + w.ky * p.y + w.phase);
    return sum;
  }

  std::array<std::array<Wave, 2>, 2> waves_;
  float xx_, xy_, yx_, yy_;
  Point center_;
};

float distance(Point p, Point a, Point b) {
  const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const float along = length2 > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2 : 0.0f;
  const float t = std::clamp(along, 0.0f, 1.0f);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

using Image = std::array<float, kPixels>;

// Ink falls from 1 to 0 over one pixel at the pen's edge; only the box around a-b is touched.
void draw_segment(Image& image, Point a, Point b, float pen_radius) {
  const auto clip = [](float v) {
    return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(kSide - 1)));
  };
  const float reach = pen_radius + 1;
  for (int y = clip(std::min(a.y, b.y) - reach); y <= clip(std::max(a.y, b.y) + reach); ++y)
    for (int x = clip(std::min(a.x, b.x) - reach); x <= clip(std::max(a.x, b.x) + reach); ++x) {
      const float d = distance({static_cast<float>(x), static_cast<float>(y)}, a, b);
      float& ink = image[static_cast<std::size_t>(y * kSide + x)];
      ink = std::max(ink, std::clamp(pen_radius + 0.5f - d, 0.0f, 1.0f));
    }
}

void draw(int digit, Rng& rng, std::uint8_t* out) {
  const Warp warp(rng);
  const float pen_radius = rng.uniform(0.7f, 1.7f), brightness = rng.uniform(0.8f, 1.0f);
  const float noise = rng.uniform(0.0f, 0.08f);
  Image image{};
  for (const Stroke& stroke : skeleton(digit))
    for (std::size_t k = 1; k < stroke.size(); ++k)
      draw_segment(image, warp(stroke[k - 1]), warp(stroke[k]), pen_radius);
  for (std::size_t k = 0; k < kPixels; ++k) {
    const float value = std::clamp(image[k] * brightness + noise * rng.normal(), 0.0f, 1.0f);
    out[k] = static_cast<std::uint8_t>(std::lround(value * 255.0f));
  }
}

std::shared_ptr<const Dataset> make(std::int64_t count, std::uint64_t seed,
                                    std::string_view stream) {
  require(count >= 1 && count <= 1'000'000, "synthetic_digits",
          "wants 1 to 1,000,000 examples for ", stream, ", got ", count);
  Tensor images = Tensor::uninitialized({count, kSide, kSide}, DType::kUint8);
  Tensor labels = Tensor::uninitialized({count}, DType::kUint8);
  auto* pixels = images.mutable_data<std::uint8_t>();
  auto* label = labels.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    Rng rng(seed, stream);
    rng.seek(static_cast<std::uint64_t>(i) * kDrawsPerImage);
    label[i] = static_cast<std::uint8_t>(i % 10);
    draw(label[i], rng, pixels + i * kPixels);
  }
  return std::make_shared<InMemory>(images, labels, 10, "synthetic_digits");
}

}  // namespace

TrainTest synthetic_digits(SyntheticDigitsOptions options) {
  return {make(options.train, options.seed, "synthetic_digits.train"),
          make(options.test, options.seed, "synthetic_digits.test")};
}

}  // namespace espalier::datasets
