// Depthwise convolution of levels. Each product is of one channel alone, so that 16 channels side by
// side fill registers: their sums stay there while the window's pixels pass, and are requantized
// before they meet memory. Pixels outside of the image are left out (they stand for the real 0),
// so that no padded copy is made.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "compress/runtime/linear_parts.hpp"
#include "compress/runtime/loops/steps.hpp"
#include "core/kernels/integer.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::loops {
namespace {

constexpr std::int64_t kLanes = 16;
static_assert(kLanes <= Activation::kSlack);  // the last pixel's group may reach beyond it

struct Depthwise {
  kernels::Window window;
  Activation x, y;
  bool relu = false;
  // Channels in groups of kLanes; behind the last channel zeros.
  std::vector<std::int16_t> weights;  // [GROUPS KH KW kLanes]
  std::vector<std::int32_t> bias;     // [GROUPS kLanes]
  std::vector<float> multiplier;      // likewise: to levels of y's grid, or to floats
};

Depthwise arranged(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  // Without the zero point's constant: each pixel's is taken off, as pixels may be missing.
  ChannelSums sums = channel_sums(l, {x.grid.scale, 0}, y.grid);
  const auto groups = static_cast<std::size_t>((l.weight.shape[0] + kLanes - 1) / kLanes);
  const std::size_t lanes = groups * kLanes;
  const auto taps = static_cast<std::size_t>(l.kernel_h * l.kernel_w);
  sums.bias.resize(lanes), sums.multiplier.resize(lanes);
  Depthwise d{.window = window_of(l),
              .x = x,
              .y = y,
              .relu = l.relu,
              .weights = std::vector<std::int16_t>(lanes * taps),
              .bias = std::move(sums.bias),
              .multiplier = std::move(sums.multiplier)};
  for (std::size_t i = 0; i < l.weight.levels.size(); ++i) {
    const std::size_t c = i / taps, tap = i % taps;
    d.weights[(c / kLanes * taps + tap) * kLanes + c % kLanes] = l.weight.levels[i];
  }
  return d;
}

// The part of a window that lies inside of the image: its first and last rows and columns.
struct Inside {
  std::int64_t row_begin, row_end, column_begin, column_end;
};
Inside inside(const kernels::Window& v, const Shape& x, std::int64_t top, std::int64_t left) {
  return {std::max<std::int64_t>(-top, 0), std::min(v.kernel_h, x[1] - top),
          std::max<std::int64_t>(-left, 0), std::min(v.kernel_w, x[2] - left)};
}

template <class T>
[[gnu::always_inline]] inline void store(const std::array<T, kLanes>& values, T* to,
                                         std::int64_t count) {
  if (count >= kLanes)
    std::memcpy(to, values.data(), sizeof values);
  else
    std::memcpy(to, values.data(), sizeof(T) * static_cast<std::size_t>(count));
}

// One output position, all channels. `start`: of the window in the image, which may be outside of it.
// Compiled once for each instruction set, as loops/levels.cpp.
[[gnu::always_inline]] inline void pixel_body(const Depthwise& d, const std::uint8_t* image,
                                              std::int64_t start, const Inside& in,
                                              std::int64_t output) {
  const std::int64_t channels = d.x.shape[3], row = d.x.shape[2] * channels;
  const std::int32_t zero_x = d.x.grid.zero_point, zero_y = d.y.grid.zero_point,
                     lowest = d.relu ? zero_y : 0;
  const std::int16_t* weights = d.weights.data();
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    std::array<std::int32_t, kLanes> sums{};
    for (std::int64_t i = in.row_begin; i < in.row_end; ++i)
      for (std::int64_t j = in.column_begin; j < in.column_end; ++j) {
        const std::uint8_t* from = image + (start + i * row + j * channels + c);
        const std::int16_t* w = weights + (i * d.window.kernel_w + j) * kLanes;
        for (std::size_t k = 0; k < kLanes; ++k) sums[k] += (from[k] - zero_x) * w[k];
      }
    weights += d.window.kernel_h * d.window.kernel_w * kLanes;
    const std::int32_t* bias = d.bias.data() + c;
    const float* multiplier = d.multiplier.data() + c;
    const std::int64_t at = output * channels + c;
    if (d.y.grid.is_float()) {
      std::array<float, kLanes> reals;
      for (std::size_t k = 0; k < kLanes; ++k) {
        const float real = static_cast<float>(sums[k] + bias[k]) * multiplier[k];
        reals[k] = d.relu ? std::max(real, 0.0f) : real;
      }
      store(reals, d.y.floats() + at, channels - c);
    } else {
      std::array<std::uint8_t, kLanes> levels;
      for (std::size_t k = 0; k < kLanes; ++k)
        levels[k] = static_cast<std::uint8_t>(
            kernels::requantize(sums[k] + bias[k], multiplier[k], zero_y, lowest));
      store(levels, d.y.levels() + at, channels - c);
    }
  }
}

[[gnu::always_inline]] inline void run_body(const Depthwise& d) {
  const kernels::Window& v = d.window;
  const Shape &x = d.x.shape, &y = d.y.shape;
  const std::uint8_t* image = d.x.levels();
  std::int64_t output = 0;
  for (std::int64_t n = 0; n < y[0]; ++n, image += x[1] * x[2] * x[3])
    for (std::int64_t p = 0; p < y[1]; ++p)
      for (std::int64_t q = 0; q < y[2]; ++q, ++output) {
        const std::int64_t top = p * v.stride_h - v.pad_top, left = q * v.stride_w - v.pad_left;
        pixel_body(d, image, (top * x[2] + left) * x[3], inside(v, x, top, left), output);
      }
}

void run_plain(const Depthwise& d) {
  run_body(d);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void run_avx2(const Depthwise& d) {
  run_body(d);
}
[[gnu::target("avx512f,avx512bw,avx512vl")]] void run_avx512(const Depthwise& d) {
  run_body(d);
}
#endif

auto loop() {
#if defined(__x86_64__)
  const VectorIsa isa = vector_isa();
  if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi) return run_avx512;
  if (isa == VectorIsa::kAvx2) return run_avx2;
#endif
  return run_plain;
}

}  // namespace

Step depthwise_conv2d_levels(const format::PackedLayer& l, const Activation& x,
                             const Activation& y) {
  return [d = arranged(l, x, y), run = loop()] { run(d); };
}

}  // namespace espalier::runtime::loops
