#include "datasets/resize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace espalier::datasets {
namespace {

// Output pixel = sum of weights[k] * input[first + k].
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

std::vector<Taps> triangle_taps(std::int64_t from, std::int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(1.0, step);
  std::vector<Taps> all(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * step - 0.5;  // in input pixels
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(center - reach)) + 1);
    const auto last = std::min(from - 1, static_cast<std::int64_t>(std::ceil(center + reach)) - 1);
    double sum = 0;
    std::vector<double> weights;
    for (std::int64_t k = taps.first; k <= last; ++k) {
      weights.push_back(1 - std::abs(static_cast<double>(k) - center) / reach);
      sum += weights.back();
    }
    for (const double w : weights) taps.weights.push_back(static_cast<float>(w / sum));
  }
  return all;
}

// [outer from inner] to [outer to inner], along the middle axis.
Tensor resize_axis(const Tensor& x, std::int64_t outer, std::int64_t from, std::int64_t inner,
                   std::int64_t to) {
  Tensor y({outer, to, inner});
  const auto taps = triangle_taps(from, to);
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < to; ++i) {
      const Taps& t = taps[static_cast<std::size_t>(i)];
      float* out = y.mutable_data() + (o * to + i) * inner;
      for (std::size_t k = 0; k < t.weights.size(); ++k) {
        const float* in = x.data() + (o * from + t.first + static_cast<std::int64_t>(k)) * inner;
        for (std::int64_t c = 0; c < inner; ++c) out[c] += t.weights[k] * in[c];
      }
    }
  return y;
}

}  // namespace

Tensor resize(const Tensor& image, std::int64_t height, std::int64_t width) {
  const Shape& s = image.shape();
  require(s.rank() == 3 && image.elements() > 0, "resize", "wants an image [H W C], got ", s);
  require(height >= 1 && width >= 1, "resize", "to ", height, " x ", width, " pixels");
  const Tensor narrow = resize_axis(image, s[0], s[1], s[2], width);
  return resize_axis(narrow, 1, s[0], width * s[2], height).reshaped({height, width, s[2]});
}

Tensor resize_bytes(const Tensor& image, std::int64_t height, std::int64_t width) {
  const Shape& s = image.shape();
  if (s.rank() == 3 && s[0] == height && s[1] == width) return image;
  Tensor values = Tensor::uninitialized(s);
  std::ranges::transform(image.values<std::uint8_t>(), values.mutable_data(),
                         [](std::uint8_t v) { return static_cast<float>(v); });
  const Tensor resized = resize(values, height, width);
  Tensor out = Tensor::uninitialized(resized.shape(), DType::kUint8);
  std::ranges::transform(resized.values(), out.mutable_data<std::uint8_t>(), [](float v) {
    return static_cast<std::uint8_t>(std::clamp(std::nearbyint(v), 0.0f, 255.0f));
  });
  return out;
}

}  // namespace espalier::datasets
