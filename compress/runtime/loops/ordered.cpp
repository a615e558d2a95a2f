// Float layers of models that have levels, too: floats in float64 and in order
// (core/kernels/ordered_product.hpp), levels read as the floats that they stand for, and floats
// written as levels where the output has a grid. The same bits as reference/ computes.
#include <algorithm>
#include <vector>

#include "compress/runtime/loops/floats.hpp"
#include "compress/runtime/loops/steps.hpp"
#include "core/kernels/ordered_product.hpp"

namespace espalier::runtime::loops {
namespace {

// What the window at row `top` and column `left` of image `n` sees, [KH KW C]; 0 outside of it.
void read_window(const Activation& x, const kernels::Window& v, std::int64_t n, std::int64_t top,
                 std::int64_t left, std::span<float> seen) {
  const std::int64_t height = x.shape[1], width = x.shape[2];
  const auto channels = static_cast<std::size_t>(x.shape[3]);
  std::size_t to = 0;
  for (std::int64_t h = top; h < top + v.kernel_h; ++h)
    for (std::int64_t w = left; w < left + v.kernel_w; ++w, to += channels) {
      const auto pixel = seen.subspan(to, channels);
      if (h >= 0 && h < height && w >= 0 && w < width)
        read_floats(x, ((n * height + h) * width + w) * x.shape[3], pixel);
      else
        std::ranges::fill(pixel, 0.0f);
    }
}

// A step that has `product` run over each window.
template <class Product>
Step windows_by(Product product, const format::PackedLayer& l, const Activation& x,
                const Activation& y) {
  std::vector<float> seen(product.inputs()), row(product.outputs());
  return [x, y, v = window_of(l), relu = l.relu, product = std::move(product),
          seen = std::move(seen), row = std::move(row)]() mutable {
    std::int64_t at = 0;
    for (std::int64_t n = 0; n < y.shape[0]; ++n)
      for (std::int64_t p = 0; p < y.shape[1]; ++p)
        for (std::int64_t q = 0; q < y.shape[2]; ++q, at += y.shape[3]) {
          read_window(x, v, n, p * v.stride_h - v.pad_top, q * v.stride_w - v.pad_left, seen);
          product.run(seen, row);
          if (relu)
            for (float& value : row) value = std::max(value, 0.0f);
          write_floats(row, y, at);
        }
  };
}

}  // namespace

Step ordered_linear(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  const auto outputs = static_cast<std::size_t>(l.weight.shape[0]);
  const std::vector<float> weights = float_weights(l.weight);
  if (l.kind == format::LayerKind::kDepthwiseConv2d)
    return windows_by(kernels::OrderedDepthwise(weights, l.bias, outputs), l, x, y);
  return windows_by(kernels::OrderedProduct(weights, l.bias, outputs), l, x, y);
}

Step crossing_batch_norm(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  return [x, y, &l, row = std::vector<float>(l.multiplier.size())]() mutable {
    for (std::int64_t at = 0; at < y.shape.elements(); at += y.shape[3]) {
      read_floats(x, at, row);
      for (std::size_t c = 0; c < row.size(); ++c) {
        const float value = row[c] * l.multiplier[c] + l.offset[c];
        row[c] = l.relu ? std::max(value, 0.0f) : value;
      }
      write_floats(row, y, at);
    }
  };
}

Step ordered_average_pool2d(const format::PackedLayer& l, const Activation& x,
                            const Activation& y) {
  return [x, y, v = window_of(l),
          sums = std::vector<double>(static_cast<std::size_t>(x.shape[3]))]() mutable {
    const std::int64_t height = x.shape[1], width = x.shape[2];
    float* to = y.floats();
    for (std::int64_t n = 0; n < y.shape[0]; ++n)
      for (std::int64_t p = 0; p < y.shape[1]; ++p)
        for (std::int64_t q = 0; q < y.shape[2]; ++q) {
          const std::int64_t top = p * v.stride_h - v.pad_top, left = q * v.stride_w - v.pad_left;
          std::int32_t count = 0;
          std::ranges::fill(sums, 0.0);
          for (std::int64_t h = std::max<std::int64_t>(top, 0);
               h < std::min(top + v.kernel_h, height); ++h)
            for (std::int64_t w = std::max<std::int64_t>(left, 0);
                 w < std::min(left + v.kernel_w, width); ++w, ++count) {
              const float* from = x.floats() + ((n * height + h) * width + w) * x.shape[3];
              for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += static_cast<double>(from[c]);
            }
          for (const double sum : sums) *to++ = static_cast<float>(sum / count);
        }
  };
}

}  // namespace espalier::runtime::loops
