#include <algorithm>

#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/integer.hpp"
#include "core/kernels/pool2d.hpp"

namespace espalier::runtime::reference {
namespace {

// What a window sees of the image, channel by channel; padding never takes part.
struct Seen {
  std::int32_t largest = 0, sum = 0, count = 0;
};

// y = level(Seen), for every window and channel of x.
template <class Level>
Activation pool(const format::PackedLayer& l, const Activation& x, Level level) {
  const kernels::Window v = window_of(l);
  const Shape in = x.values.shape(), out = kernels::pooled_shape(in, v);
  const std::int64_t height = in[1], width = in[2], channels = in[3];
  Tensor y = Tensor::uninitialized(out, DType::kUint8);
  const std::uint8_t* px = x.values.data<std::uint8_t>();
  std::uint8_t* py = y.mutable_data<std::uint8_t>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t c = 0; c < channels; ++c) {
          Seen seen;
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 w = q * v.stride_w - v.pad_left + j;
              if (h < 0 || h >= height || w < 0 || w >= width) continue;
              const std::int32_t value = px[((n * height + h) * width + w) * channels + c];
              seen = {std::max(seen.largest, value), seen.sum + value, seen.count + 1};
            }
          *py++ = static_cast<std::uint8_t>(level(seen));
        }
  return {y, x.grid};
}

}  // namespace

Activation max_pool2d(const format::PackedLayer& l, const Activation& x) {
  if (x.grid.is_float()) return {kernels::max_pool2d(x.values, window_of(l)).y, {}};
  return pool(l, x, [](const Seen& seen) { return seen.largest; });
}

Activation average_pool2d(const format::PackedLayer& l, const Activation& x) {
  if (x.grid.is_float()) return {kernels::average_pool2d(x.values, window_of(l)), {}};
  return pool(l, x, [](const Seen& seen) { return kernels::average_level(seen.sum, seen.count); });
}

}  // namespace espalier::runtime::reference
