// The average of levels, which has a rounding of its own.
#include <algorithm>
#include <vector>

#include "compress/runtime/loops/steps.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::loops {
namespace {

// One output position: sums over the window's rows and columns inside of the image, channels
// innermost.
void average_window(const std::uint8_t* image, const Shape& x, const kernels::Window& v,
                    std::int64_t top, std::int64_t left, std::span<std::int32_t> sums,
                    std::uint8_t* y) {
  const std::int64_t row_begin = std::max<std::int64_t>(top, 0),
                     row_end = std::min(top + v.kernel_h, x[1]),
                     column_begin = std::max<std::int64_t>(left, 0),
                     column_end = std::min(left + v.kernel_w, x[2]);
  const std::size_t channels = sums.size();
  std::fill(sums.begin(), sums.end(), 0);
  for (std::int64_t h = row_begin; h < row_end; ++h)
    for (std::int64_t w = column_begin; w < column_end; ++w) {
      const std::uint8_t* from = image + (h * x[2] + w) * x[3];
      for (std::size_t c = 0; c < channels; ++c) sums[c] += from[c];
    }
  const auto count = static_cast<std::int32_t>((row_end - row_begin) * (column_end - column_begin));
  for (std::size_t c = 0; c < channels; ++c)
    y[c] = static_cast<std::uint8_t>(kernels::average_level(sums[c], count));
}

}  // namespace

Step average_pool2d_levels(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  return [x, y, v = window_of(l),
          sums = std::vector<std::int32_t>(static_cast<std::size_t>(x.shape[3]))]() mutable {
    const std::uint8_t* image = x.levels();
    std::uint8_t* to = y.levels();
    for (std::int64_t n = 0; n < y.shape[0]; ++n, image += x.shape[1] * x.shape[2] * x.shape[3])
      for (std::int64_t p = 0; p < y.shape[1]; ++p)
        for (std::int64_t q = 0; q < y.shape[2]; ++q, to += y.shape[3])
          average_window(image, x.shape, v, p * v.stride_h - v.pad_top, q * v.stride_w - v.pad_left,
                         sums, to);
  };
}

}  // namespace espalier::runtime::loops
