// The changes that augmentation.hpp declares.
#include <algorithm>
#include <cmath>

#include "datasets/augmentation.hpp"
#include "datasets/resize.hpp"
#include "datasets/shift_augmentation.hpp"
#include "datasets/warp.hpp"

namespace espalier::datasets {
namespace {

// -max..max, all equally likely.
std::int64_t within(std::int64_t max, Rng& rng) {
  return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * max + 1))) - max;
}

Tensor mirrored(const Tensor& image) {
  const std::int64_t rows = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
  Tensor out = Tensor::uninitialized(image.shape());
  for (std::int64_t y = 0; y < rows; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      std::copy_n(image.data() + (y * width + x) * channels, channels,
                  out.mutable_data() + (y * width + width - 1 - x) * channels);
  return out;
}

// [height width C] at (top, left).
Tensor window(const Tensor& image, std::int64_t top, std::int64_t left, std::int64_t height,
              std::int64_t width) {
  const std::int64_t all = image.shape()[1], channels = image.shape()[2];
  Tensor out = Tensor::uninitialized({height, width, channels});
  for (std::int64_t y = 0; y < height; ++y)
    std::copy_n(image.data() + ((top + y) * all + left) * channels, width * channels,
                out.mutable_data() + y * width * channels);
  return out;
}

}  // namespace

Change flip(float share) {
  require(0 <= share && share <= 1, "flip", "wants a share of 0 to 1, got ", share);
  return {"flip", [share](const Tensor& image, Rng& rng) {
            return rng.uniform() < share ? mirrored(image) : image;
          }};
}

Change shift(std::int64_t max_pixels) {
  require(max_pixels >= 0 && max_pixels <= 4096, "shift", "wants 0 to 4096 pixels, got ",
          max_pixels);
  return {"shift", [max_pixels](const Tensor& image, Rng& rng) {
            const std::int64_t down = within(max_pixels, rng);
            return shifted(image, down, within(max_pixels, rng));
          }};
}

Change rotate(float max_degrees) {
  require(0 <= max_degrees && max_degrees <= 180, "rotate", "wants 0 to 180 degrees, got ",
          max_degrees);
  return {"rotate", [max_degrees](const Tensor& image, Rng& rng) {
            const float angle = rng.uniform(-max_degrees, max_degrees) * (3.14159265f / 180);
            const float c = std::cos(angle), s = std::sin(angle);
            return warped(image, {.xx = c, .xy = s, .yx = -s, .yy = c});
          }};
}

Change scale(ScaleOptions options) {
  require(0 < options.smallest && options.smallest <= options.largest && options.largest <= 16,
          "scale", "wants 0 < smallest <= largest <= 16, got ", options.smallest, " and ",
          options.largest);
  return {"scale", [options](const Tensor& image, Rng& rng) {
            const float inverse =
                std::exp(-rng.uniform(std::log(options.smallest), std::log(options.largest)));
            return warped(image, {.xx = inverse, .xy = 0, .yx = 0, .yy = inverse});
          }};
}

Change crop(float smallest) {
  require(0 < smallest && smallest <= 1, "crop",
          "wants a share of the side above 0, at most 1, got ", smallest);
  return {"crop", [smallest](const Tensor& image, Rng& rng) {
            const std::int64_t height = image.shape()[0], width = image.shape()[1];
            const float part = 1 - (1 - smallest) * rng.uniform();
            const auto side = [&](std::int64_t whole) {
              return std::clamp<std::int64_t>(std::lrint(part * static_cast<float>(whole)), 1,
                                              whole);
            };
            const auto place = [&](std::int64_t room) {
              return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(room + 1)));
            };
            const std::int64_t h = side(height), w = side(width), top = place(height - h);
            return resize(window(image, top, place(width - w), h, w), height, width);
          }};
}

Change noise(float deviation) {
  require(0 <= deviation && deviation <= 1, "noise", "wants a deviation of 0 to 1, got ",
          deviation);
  return {"noise", [deviation](const Tensor& image, Rng& rng) {
            Tensor out = image.clone();
            for (float& v : out.mutable_values())
              v = std::clamp(v + deviation * rng.normal(), 0.0f, 1.0f);
            return out;
          }};
}

Change cutout(std::int64_t side_pixels) {
  require(side_pixels >= 1 && side_pixels <= 4096, "cutout",
          "wants a side of 1 to 4096 pixels, got ", side_pixels);
  return {"cutout", [side_pixels](const Tensor& image, Rng& rng) {
            const std::int64_t height = image.shape()[0], width = image.shape()[1],
                               channels = image.shape()[2];
            const auto centre = [&](std::int64_t whole) {
              return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(whole)));
            };
            const std::int64_t top = centre(height) - side_pixels / 2,
                               left = centre(width) - side_pixels / 2;
            const std::int64_t first = std::max<std::int64_t>(left, 0),
                               last = std::min(left + side_pixels, width);
            Tensor out = image.clone();
            for (std::int64_t y = std::max<std::int64_t>(top, 0);
                 y < std::min(top + side_pixels, height); ++y)
              std::fill_n(out.mutable_data() + (y * width + first) * channels,
                          (last - first) * channels, 0.0f);
            return out;
          }};
}

}  // namespace espalier::datasets
