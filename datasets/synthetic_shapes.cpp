#include "datasets/synthetic_shapes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/base/rng.hpp"
#include "datasets/in_memory.hpp"

namespace espalier::datasets {
namespace {

constexpr int kSide = 32;
constexpr int kValues = kSide * kSide * 3;
constexpr float kPi = 3.14159265f;
constexpr std::uint64_t kDrawsPerImage = 8192;  // more than one image takes (about 6200)

struct Point {
  float x, y;
};
using Polygon = std::vector<Point>;
using Rgb = std::array<float, 3>;

// `corners` points around the circle of radius 1, every second one at `inner`.
Polygon around(int corners, float inner = 1) {
  Polygon points;
  for (int k = 0; k < corners; ++k) {
    const float angle = 2 * kPi * static_cast<float>(k) / static_cast<float>(corners);
    const float radius = k % 2 ? inner : 1;
    points.push_back({radius * std::cos(angle), radius * std::sin(angle)});
  }
  return points;
}

Polygon box(float x, float y) {
  return {{-x, -y}, {x, -y}, {x, y}, {-x, y}};
}

// Distance to the nearest edge, below 0 inside: an edge that a ray from p crosses changes the side.
float outside(const Polygon& corners, Point p) {
  float nearest = 1e9f;
  bool inside = false;
  Point a = corners.back();
  for (const Point b : corners) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);
    const float t = std::clamp(along, 0.0f, 1.0f);
    nearest = std::min(nearest, std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy));
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) / dy * dx) inside = !inside;
    a = b;
  }
  return inside ? -nearest : nearest;
}

// A shape fills about the circle of radius 1: a polygon, or what circles bound.
struct Figure {
  Polygon corners;   // empty: a disc of radius 1
  float hole = 0;    // radius of a disc that is taken out, 0: none
  float hole_x = 0;  // where
  float outside_of(Point p) const {
    float d = corners.empty() ? std::hypot(p.x, p.y) - 1 : outside(corners, p);
    if (hole > 0) d = std::max(d, hole - std::hypot(p.x - hole_x, p.y));
    return d;
  }
};

// The kinds in the order of shape_names(); proportions vary with two draws each.
Figure figure(int kind, Rng& rng) {
  const float u = rng.uniform(), v = rng.uniform();
  switch (kind) {
    case 0: {
      const float neck = -0.1f + 0.3f * u, shaft = 0.16f + 0.14f * v;
      return {{{1, 0},
               {neck, 0.75f},
               {neck, shaft},
               {-1, shaft},
               {-1, -shaft},
               {neck, -shaft},
               {neck, -0.75f}}};
    }
    case 1:
      return {box(1, 0.2f + 0.2f * u)};
    case 2:
      return {{}, 0.7f + 0.2f * u, 0.45f + 0.2f * v};
    case 3: {
      const float w = 0.2f + 0.16f * u;
      return {{{1, w},
               {w, w},
               {w, 1},
               {-w, 1},
               {-w, w},
               {-1, w},
               {-1, -w},
               {-w, -w},
               {-w, -1},
               {w, -1},
               {w, -w},
               {1, -w}}};
    }
    case 4:
      return {};
    case 5:
      return {around(6)};
    case 6:
      return {{}, 0.4f + 0.3f * u, 0};
    case 7:
      return {box(0.85f, 0.72f + 0.13f * u)};
    case 8:
      return {around(10, 0.38f + 0.14f * u)};
    default:
      return {around(3)};
  }
}

// Shapes are the brighter ones: each value from `low` to `high`.
Rgb color(float low, float high, Rng& rng) {
  return {rng.uniform(low, high), rng.uniform(low, high), rng.uniform(low, high)};
}
Rgb ground_color(Rng& rng) {
  return color(0, 0.6f, rng);
}
Rgb shape_color(Rng& rng) {
  return color(0.3f, 1, rng);
}

float difference(const Rgb& a, const Rgb& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

// One that stands out from each of these; the last of ten tries is taken as it is.
Rgb color_unlike(std::initializer_list<Rgb> others, float least, Rng& rng) {
  Rgb result = shape_color(rng);
  for (int tries = 0; tries < 9; ++tries) {
    if (std::ranges::all_of(others, [&](const Rgb& o) { return difference(o, result) >= least; }))
      break;
    result = shape_color(rng);
  }
  return result;
}

class Canvas {
 public:
  // A slope from one color to another.
  Canvas(const Rgb& from, const Rgb& to, float angle) {
    const float c = std::cos(angle), s = std::sin(angle);
    each([&](Point p, Rgb& pixel) {
      const float t = std::clamp(0.5f + (c * (p.x - 16) + s * (p.y - 16)) / 44, 0.0f, 1.0f);
      for (std::size_t k = 0; k < 3; ++k) pixel[k] = from[k] + (to[k] - from[k]) * t;
    });
  }

  // Covers a pixel whose centre lies `distance(p)` pixels outside of an edge: half of it at 0.
  template <class Distance>
  void paint(const Rgb& ink, Distance distance) {
    each([&](Point p, Rgb& pixel) {
      const float covered = std::clamp(0.5f - distance(p), 0.0f, 1.0f);
      for (std::size_t k = 0; k < 3; ++k) pixel[k] += (ink[k] - pixel[k]) * covered;
    });
  }

  // With noise: the sum of two uniform draws less 1, times this; its deviation is 0.41 of it.
  void write(float noise, Rng& rng, std::uint8_t* out) const {
    std::array<float, 2 * kValues> draws;
    rng.fill_uniform(draws);
    for (std::size_t i = 0; i < kValues; ++i) {
      const float value = pixels_[i / 3][i % 3] + noise * (draws[2 * i] + draws[2 * i + 1] - 1);
      out[i] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255.0f));
    }
  }

 private:
  template <class Use>
  void each(Use use) {
    for (int i = 0; i < kSide * kSide; ++i)
      use({static_cast<float>(i % kSide) + 0.5f, static_cast<float>(i / kSide) + 0.5f},
          pixels_[static_cast<std::size_t>(i)]);
  }
  std::array<Rgb, kSide * kSide> pixels_;
};

void draw(int kind, Rng& rng, std::uint8_t* out) {
  const Rgb from = ground_color(rng), to = ground_color(rng);
  Canvas canvas(from, to, rng.uniform(0, 2 * kPi));
  for (auto lines = rng.below(3); lines > 0; --lines) {
    const float angle = rng.uniform(0, kPi), at = rng.uniform(-14, 14),
                half = rng.uniform(0.3f, 0.8f);
    const float c = std::cos(angle), s = std::sin(angle);
    canvas.paint(color(0, 1, rng),
                 [&](Point p) { return std::abs(c * (p.x - 16) + s * (p.y - 16) - at) - half; });
  }
  const Figure shape = figure(kind, rng);
  const float size = rng.uniform(8, 13), aspect = rng.uniform(0.85f, 1.15f);
  const float angle = rng.uniform(0, 2 * kPi), c = std::cos(angle), s = std::sin(angle);
  const float room = 15.5f - size;  // to the border; what lies beyond is cut off
  const Point center{16 + rng.uniform(-room, room), 16 + rng.uniform(-room, room)};
  // The aspect stretches x alone; distances in the stretched plane serve as pixels.
  canvas.paint(color_unlike({from, to}, 0.5f, rng), [&](Point p) {
    const float dx = (p.x - center.x) / size, dy = (p.y - center.y) / size;
    return size * shape.outside_of({(c * dx + s * dy) * aspect, c * dy - s * dx});
  });
  canvas.write(rng.uniform(0.02f, 0.18f), rng, out);
}

std::shared_ptr<const Dataset> make(std::int64_t count, std::uint64_t seed,
                                    std::string_view stream) {
  require(count >= 1 && count <= 1'000'000, "synthetic_shapes",
          "wants 1 to 1,000,000 examples for ", stream, ", got ", count);
  Tensor images = Tensor::uninitialized({count, kSide, kSide, 3}, DType::kUint8);
  Tensor labels = Tensor::uninitialized({count}, DType::kUint8);
  auto* pixels = images.mutable_data<std::uint8_t>();
  auto* label = labels.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    Rng rng(seed, stream);
    rng.seek(static_cast<std::uint64_t>(i) * kDrawsPerImage);
    label[i] = static_cast<std::uint8_t>(i % 10);
    draw(label[i], rng, pixels + i * kValues);
  }
  return std::make_shared<InMemory>(images, labels, 10, "synthetic_shapes");
}

}  // namespace

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names = {
      "arrow", "bar", "crescent", "cross", "disc", "hexagon", "ring", "square", "star", "triangle"};
  return names;
}

TrainTest synthetic_shapes(SyntheticShapesOptions options) {
  return {make(options.train, options.seed, "synthetic_shapes.train"),
          make(options.test, options.seed, "synthetic_shapes.test")};
}

}  // namespace espalier::datasets
