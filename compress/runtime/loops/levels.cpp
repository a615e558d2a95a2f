#include "compress/runtime/loops/levels.hpp"

#include <algorithm>

#include "core/kernels/integer.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::loops {

void transform_pixels(std::span<const float> pixels, const format::PackedModel& model, float* x) {
  const float mean = model.input_mean, deviation = model.input_deviation;
  for (std::size_t i = 0; i < pixels.size(); ++i) x[i] = (pixels[i] - mean) / deviation;
}

namespace {

// The loops that every integer model runs, once for each instruction set: the same operations in the
// same order, so the same bits. A body is compiled into each function that names a target.
[[gnu::always_inline]] inline void quantize_body(std::span<const float> pixels,
                                                 const format::PackedModel& model,
                                                 std::uint8_t* x) {
  const float mean = model.input_mean, deviation = model.input_deviation;
  const float scale = model.input.scale;
  const std::int32_t zero_point = model.input.zero_point;
  const float* from = pixels.data();
  const std::size_t count = pixels.size();
  if (mean == 0 && deviation == 1) {  // (x - 0) / 1 is x
    for (std::size_t i = 0; i < count; ++i)
      x[i] = static_cast<std::uint8_t>(kernels::activation_level(from[i], scale, zero_point));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const float real = (from[i] - mean) / deviation;
    x[i] = static_cast<std::uint8_t>(kernels::activation_level(real, scale, zero_point));
  }
}

[[gnu::always_inline]] inline void requantize_body(std::span<const std::int32_t> sums,
                                                   const Requantization& r, std::uint8_t* levels) {
  const std::int32_t* bias = r.bias.data();
  const float* multiplier = r.multiplier.data();
  const std::int32_t zero_point = r.zero_point, lowest = r.relu ? zero_point : 0;
  for (std::size_t begin = 0; begin < sums.size(); begin += r.bias.size()) {
    const std::size_t count = std::min(r.bias.size(), sums.size() - begin);
    const std::int32_t* from = sums.data() + begin;
    std::uint8_t* to = levels + begin;
    for (std::size_t i = 0; i < count; ++i)
      to[i] = static_cast<std::uint8_t>(
          kernels::requantize(from[i] + bias[i], multiplier[i], zero_point, lowest));
  }
}

[[gnu::always_inline]] inline void add_body(const Summand& a, const Summand& b, std::int64_t count,
                                            std::int32_t zero_point, std::int32_t lowest,
                                            std::uint8_t* sum) {
  const Summand one = a, other = b;
  constexpr std::int64_t kRow = 64;
  std::uint8_t row[kRow];  // apart from the summands, where the compiler sees that nothing overlaps
  for (std::int64_t i = 0; i < count; i += kRow) {
    const std::int64_t n = std::min(kRow, count - i);
    const auto add = [&](std::int64_t k) {
      row[k] = static_cast<std::uint8_t>(kernels::sum_level(
          kernels::summand(one.levels[i + k], one.zero_point, one.multiplier),
          kernels::summand(other.levels[i + k], other.zero_point, other.multiplier), zero_point,
          lowest));
    };
    if (n == kRow)
      for (std::int64_t k = 0; k < kRow; ++k) add(k);
    else
      for (std::int64_t k = 0; k < n; ++k) add(k);
    std::copy_n(row, n, sum + i);
  }
}

struct Loops {
  void (*quantize)(std::span<const float>, const format::PackedModel&, std::uint8_t*);
  void (*requantize)(std::span<const std::int32_t>, const Requantization&, std::uint8_t*);
  void (*add)(const Summand&, const Summand&, std::int64_t, std::int32_t, std::int32_t,
              std::uint8_t*);
};

Loops plain_loops() {
  return {[](std::span<const float> pixels, const format::PackedModel& model, std::uint8_t* x) {
            quantize_body(pixels, model, x);
          },
          [](std::span<const std::int32_t> sums, const Requantization& r, std::uint8_t* levels) {
            requantize_body(sums, r, levels);
          },
          [](const Summand& a, const Summand& b, std::int64_t count, std::int32_t zero_point,
             std::int32_t lowest,
             std::uint8_t* sum) { add_body(a, b, count, zero_point, lowest, sum); }};
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void quantize_avx2(std::span<const float> pixels,
                                           const format::PackedModel& model, std::uint8_t* x) {
  quantize_body(pixels, model, x);
}
[[gnu::target("avx2")]] void requantize_avx2(std::span<const std::int32_t> sums,
                                             const Requantization& r, std::uint8_t* levels) {
  requantize_body(sums, r, levels);
}
[[gnu::target("avx2")]] void add_avx2(const Summand& a, const Summand& b, std::int64_t count,
                                      std::int32_t zero_point, std::int32_t lowest,
                                      std::uint8_t* sum) {
  add_body(a, b, count, zero_point, lowest, sum);
}
[[gnu::target("avx512f,avx512bw,avx512vl")]] void quantize_avx512(std::span<const float> pixels,
                                                                  const format::PackedModel& model,
                                                                  std::uint8_t* x) {
  quantize_body(pixels, model, x);
}
[[gnu::target("avx512f,avx512bw,avx512vl")]] void requantize_avx512(
    std::span<const std::int32_t> sums, const Requantization& r, std::uint8_t* levels) {
  requantize_body(sums, r, levels);
}
[[gnu::target("avx512f,avx512bw,avx512vl")]] void add_avx512(const Summand& a, const Summand& b,
                                                             std::int64_t count,
                                                             std::int32_t zero_point,
                                                             std::int32_t lowest,
                                                             std::uint8_t* sum) {
  add_body(a, b, count, zero_point, lowest, sum);
}
#endif

const Loops& loops() {
  static const Loops chosen = [] {
#if defined(__x86_64__)
    const VectorIsa isa = vector_isa();
    if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi)
      return Loops{quantize_avx512, requantize_avx512, add_avx512};
    if (isa == VectorIsa::kAvx2) return Loops{quantize_avx2, requantize_avx2, add_avx2};
#endif
    return plain_loops();
  }();
  return chosen;
}

}  // namespace

void quantize_pixels(std::span<const float> pixels, const format::PackedModel& model,
                     std::uint8_t* x) {
  loops().quantize(pixels, model, x);
}

void add_levels(const Summand& a, const Summand& b, std::int64_t count, std::int32_t zero_point,
                std::int32_t lowest, std::uint8_t* sum) {
  loops().add(a, b, count, zero_point, lowest, sum);
}

void repeat_channels(Requantization& r) {
  const std::size_t channels = r.bias.size();
  for (std::size_t i = 0; r.bias.size() < Requantization::kLeastSize || i % channels; ++i) {
    r.bias.push_back(r.bias[i]);
    r.multiplier.push_back(r.multiplier[i]);
  }
}

void requantize_sums(std::span<const std::int32_t> sums, const Requantization& r,
                     std::uint8_t* levels) {
  loops().requantize(sums, r, levels);
}

void scale_sums(std::span<const std::int32_t> sums, const Requantization& r, float* values) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t c = i % r.bias.size();
    const float real = static_cast<float>(sums[i] + r.bias[c]) * r.multiplier[c];
    values[i] = r.relu ? std::max(real, 0.0f) : real;
  }
}

}  // namespace espalier::runtime::loops
