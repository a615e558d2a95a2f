// What the loops over images of few channels share: the image as planes, and the weights tap by tap.
#pragma once

#include <algorithm>
#include <vector>

#include "core/kernels/loops/few_inputs.hpp"
#include "core/kernels/window.hpp"
#include "core/tensor/shape.hpp"

namespace espalier::kernels::loops {

// One image, padded, each channel by itself: [C, PH, PW].
struct Planes {
  Planes(const Shape& x, const Window& window)
      : v(window),
        height(x[1]),
        width(x[2]),
        channels(x[3]),
        row(width + v.pad_left + v.pad_right),
        plane((height + v.pad_top + v.pad_bottom) * row) {}

  std::int64_t image() const { return height * width * channels; }

  // Of [H W C]; the border of `to` is 0 already.
  void read(const float* image, std::vector<float>& to) const {
    for (std::int64_t h = 0; h < height; ++h)
      for (std::int64_t c = 0; c < channels; ++c) {
        const float* from = image + h * width * channels + c;
        float* line = to.data() + c * plane + (h + v.pad_top) * row + v.pad_left;
        if (channels == 1)
          std::copy_n(from, width, line);
        else
          for (std::int64_t w = 0; w < width; ++w) line[w] = from[w * channels];
      }
  }
  // In the order of the weights, [KH KW C].
  void taps(std::vector<std::int32_t>& offsets) const {
    offsets.clear();
    for (std::int64_t i = 0; i < v.kernel_h; ++i)
      for (std::int64_t j = 0; j < v.kernel_w; ++j)
        for (std::int64_t c = 0; c < channels; ++c)
          offsets.push_back(static_cast<std::int32_t>(c * plane + i * row + j));
  }

  Window v;
  std::int64_t height, width, channels, row, plane;
};

// [outputs x taps] tap by tap, filled up with zeros to kMostOutputs.
inline void tap_by_tap(const float* from, std::int64_t outputs, std::int64_t taps,
                       std::vector<float>& to) {
  to.assign(static_cast<std::size_t>(taps * kMostOutputs), 0);
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t t = 0; t < taps; ++t)
      to[static_cast<std::size_t>(t * kMostOutputs + o)] = from[o * taps + t];
}

}  // namespace espalier::kernels::loops
