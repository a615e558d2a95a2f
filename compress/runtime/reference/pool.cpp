#include <algorithm>

#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/integer.hpp"
#include "core/kernels/pool2d.hpp"

namespace espalier::runtime::reference {
namespace {

// What a window sees of the image, channel by channel; padding never takes part.
template <class Sum>
struct Seen {
  Sum largest = 0, sum = 0;
  std::int32_t count = 0;
};

// y = value(Seen), for every window and channel of x: levels with sums of int32, or floats with
// sums of float64.
template <class T, class Sum, class Value>
Tensor pool(const format::PackedLayer& l, const Tensor& x, Value value_of) {
  const kernels::Window v = window_of(l);
  const Shape in = x.shape(), out = kernels::pooled_shape(in, v);
  const std::int64_t height = in[1], width = in[2], channels = in[3];
  Tensor y = Tensor::uninitialized(out, x.dtype());
  const T* px = x.data<T>();
  T* py = y.mutable_data<T>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t c = 0; c < channels; ++c) {
          Seen<Sum> seen;
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 w = q * v.stride_w - v.pad_left + j;
              if (h < 0 || h >= height || w < 0 || w >= width) continue;
              const Sum value = px[((n * height + h) * width + w) * channels + c];
              seen = {std::max(seen.largest, value), seen.sum + value, seen.count + 1};
            }
          *py++ = static_cast<T>(value_of(seen));
        }
  return y;
}
using Levels = Seen<std::int32_t>;
using Floats = Seen<double>;

}  // namespace

Activation max_pool2d(const format::PackedLayer& l, const Activation& x) {
  if (x.grid.is_float()) return {kernels::max_pool2d(x.values, window_of(l)).y, {}};
  const auto largest = [](const Levels& seen) { return seen.largest; };
  return {pool<std::uint8_t, std::int32_t>(l, x.values, largest), x.grid};
}

Activation average_pool2d(const format::PackedLayer& l, const Activation& x, Sums sums) {
  if (!x.grid.is_float()) {
    const auto mean = [](const Levels& s) { return kernels::average_level(s.sum, s.count); };
    return {pool<std::uint8_t, std::int32_t>(l, x.values, mean), x.grid};
  }
  const auto mean = [](const Floats& seen) { return seen.sum / seen.count; };
  return {sums == Sums::kOrdered ? pool<float, double>(l, x.values, mean)
                                 : kernels::average_pool2d(x.values, window_of(l)),
          {}};
}

}  // namespace espalier::runtime::reference
