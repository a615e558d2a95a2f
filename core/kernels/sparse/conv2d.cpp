#include "core/kernels/conv2d.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/kernels/sparse/entries.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::sparse {
namespace {

constexpr std::int64_t kCacheFloats = 6144;  // that stay in the first level of 32 kB, 24 of it
constexpr std::int64_t kBandNumbers =
    1 << 16;  // of dy whose entries conv2d_dx holds: half a megabyte

// What a convolution's loops count, in floats unless said. A pixel's window over the padded image
// is a patch: kernel_h rows, contiguous, `row` apart.
struct Sizes {
  Sizes(const Shape& x, const Shape& w, const Shape& y, const Window& window)
      : v(window),
        images(x[0]),
        height(x[1]),
        channels(x[3]),
        outputs(w[0]),
        out_h(y[1]),
        out_w(y[2]),
        padded_h(x[1] + v.pad_top + v.pad_bottom),
        row((x[2] + v.pad_left + v.pad_right) * channels),
        image_row(x[2] * channels),
        kernel_row(v.kernel_w * channels),
        kernel(v.kernel_h * kernel_row) {
    require(padded_h * row <= std::numeric_limits<std::int32_t>::max() &&
                outputs * kernel <= std::numeric_limits<std::int32_t>::max(),
            "conv2d", "an image of ", x, " or weights of ", w, " have more than 2^31 numbers");
  }
  double multiply_adds() const {  // were there no zeros
    return static_cast<double>(images * out_h * out_w * outputs * kernel);
  }
  // As many rows of y as read so much of x as stays in the cache.
  std::int64_t strip() const {
    return std::clamp<std::int64_t>((kCacheFloats / row - v.kernel_h) / v.stride_h + 1, 1, out_h);
  }
  // As many rows of y as have kBandNumbers, one at least.
  std::int64_t band() const {
    return std::clamp<std::int64_t>(kBandNumbers / (out_w * outputs), 1, out_h);
  }
  bool pads() const { return padded_h != height || row != image_row; }
  // Where the image of y's pixel (p, q) begins in the padded image.
  std::int64_t corner(std::int64_t p, std::int64_t q) const {
    return p * v.stride_h * row + q * v.stride_w * channels;
  }

  Window v;
  std::int64_t images, height, channels, outputs, out_h, out_w;
  std::int64_t padded_h, row, image_row, kernel_row, kernel;
};

// Calls use(row of the image, the same row in the padded image) for each.
template <class A, class B, class Use>
void for_each_row(const Sizes& s, A* image, B* padded, Use use) {
  for (std::int64_t h = 0; h < s.height; ++h)
    use(image + h * s.image_row, padded + (h + s.v.pad_top) * s.row + s.v.pad_left * s.channels);
}

// What the rows [top, bottom) of y contribute.
void dx_of_band(const Sizes& s, const float* dy, const float* w, float* sum, std::int64_t top,
                std::int64_t bottom, Entries& found, std::vector<std::int64_t>& ends) {
  found.size = 0;
  ends.clear();
  for (std::int64_t pixel = top * s.out_w; pixel < bottom * s.out_w; ++pixel) {
    entry_loops().find(dy + pixel * s.outputs, s.outputs, static_cast<std::int32_t>(s.kernel), 0,
                       found);
    ends.push_back(found.size);
  }
  // As many of the weights' rows at a time as stay in the cache.
  const std::int64_t high =
      std::clamp<std::int64_t>(2 * kCacheFloats / (s.outputs * s.kernel_row), 1, s.v.kernel_h);
  for (std::int64_t i = 0; i < s.v.kernel_h; i += high) {
    const Patch patch{std::min(high, s.v.kernel_h - i), s.kernel_row, s.row, s.kernel_row};
    std::int64_t first = 0;
    auto end = ends.begin();
    for (std::int64_t p = top; p < bottom; ++p)
      for (std::int64_t q = 0; q < s.out_w; ++q, ++end) {
        if (*end > first)
          entry_loops().add(sum + s.corner(p, q) + i * s.row, w + i * s.kernel_row,
                            found.offsets.data() + first, found.values.data() + first, *end - first,
                            patch);
        first = *end;
      }
  }
}

// Adds what the outputs [first, last) of an image contribute. `x` is padded.
void dw_of_image(const Sizes& s, const float* x, const float* dy, float* dw, std::int64_t first,
                 std::int64_t last, Entries& found, std::vector<Entries>& of_output) {
  const Patch patch{s.v.kernel_h, s.kernel_row, s.kernel_row, s.row};
  for (std::int64_t top = 0; top < s.out_h; top += s.strip()) {
    for (std::int64_t o = first; o < last; ++o) of_output[static_cast<std::size_t>(o)].size = 0;
    for (std::int64_t p = top; p < std::min(top + s.strip(), s.out_h); ++p)
      for (std::int64_t q = 0; q < s.out_w; ++q) {
        found.size = 0;
        entry_loops().find(dy + (p * s.out_w + q) * s.outputs + first, last - first, 1,
                           static_cast<std::int32_t>(first), found);
        const auto corner = static_cast<std::int32_t>(s.corner(p, q));
        for (std::size_t e = 0; e < static_cast<std::size_t>(found.size); ++e) {
          Entries& to = of_output[static_cast<std::size_t>(found.offsets[e])];
          const auto at = static_cast<std::size_t>(to.size++);
          to.offsets[at] = corner;
          to.values[at] = found.values[e];
        }
      }
    for (std::int64_t o = first; o < last; ++o) {
      const Entries& from = of_output[static_cast<std::size_t>(o)];
      entry_loops().add(dw + o * s.kernel, x, from.offsets.data(), from.values.data(), from.size,
                        patch);
    }
  }
}

}  // namespace

// Each number of dy scatters a multiple of its output's weights over the window that it saw.
Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x_shape, w.shape(), window), "conv2d_dx", "gradient ",
          dy.shape(), " does not fit input ", x_shape, " and weights ", w.shape());
  Tensor dx(x_shape);
  if (dy.elements() == 0 || w.elements() == 0) return dx;
  const Sizes s(x_shape, w.shape(), dy.shape(), window);
  const float *from = dy.data(), *weights = w.data();
  float* to = dx.mutable_data();
  in_parallel(s.images, s.multiply_adds(), [&](std::int64_t begin, std::int64_t end) {
    static thread_local std::vector<float> padded;
    static thread_local std::vector<std::int64_t> ends;
    static thread_local Entries found;
    found.reserve(s.band() * s.out_w * s.outputs);
    for (std::int64_t n = begin; n < end; ++n) {
      float* image = to + n * s.height * s.image_row;
      if (s.pads()) padded.assign(static_cast<std::size_t>(s.padded_h * s.row), 0);
      for (std::int64_t top = 0; top < s.out_h; top += s.band())
        dx_of_band(s, from + n * s.out_h * s.out_w * s.outputs, weights,
                   s.pads() ? padded.data() : image, top, std::min(top + s.band(), s.out_h), found,
                   ends);
      if (!s.pads()) continue;
      for_each_row(s, image, padded.data(),
                   [&](float* row, const float* inside) { std::copy_n(inside, s.image_row, row); });
    }
  });
  return dx;
}

// Each number of dy adds a multiple of the window that it saw to its output's gradient.
Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window) {
  require(dy.shape() == convolved_shape(x.shape(), w_shape, window), "conv2d_dw", "gradient ",
          dy.shape(), " does not fit input ", x.shape(), " and weights ", w_shape);
  Tensor dw(w_shape);
  if (dy.elements() == 0 || x.elements() == 0) return dw;
  const Sizes s(x.shape(), w_shape, dy.shape(), window);
  const float *images = x.data(), *gradients = dy.data();
  float* to = dw.mutable_data();
  // Each thread has outputs of its own: the same sums whatever their number.
  in_parallel(s.outputs, s.multiply_adds(), [&](std::int64_t begin, std::int64_t end) {
    static thread_local std::vector<float> padded;
    static thread_local Entries found;
    static thread_local std::vector<Entries> of_output;
    if (s.pads()) padded.assign(static_cast<std::size_t>(s.padded_h * s.row), 0);
    found.reserve(s.outputs);
    of_output.resize(static_cast<std::size_t>(s.outputs));
    for (std::int64_t o = begin; o < end; ++o)
      of_output[static_cast<std::size_t>(o)].reserve(s.strip() * s.out_w);
    for (std::int64_t n = 0; n < s.images; ++n) {
      const float* image = images + n * s.height * s.image_row;
      if (s.pads())
        for_each_row(s, image, padded.data(), [&](const float* row, float* inside) {
          std::copy_n(row, s.image_row, inside);
        });
      dw_of_image(s, s.pads() ? padded.data() : image,
                  gradients + n * s.out_h * s.out_w * s.outputs, to, begin, end, found, of_output);
    }
  });
  return dw;
}

}  // namespace espalier::kernels::sparse
