#include "compress/runtime/sparse/active.hpp"

#include <algorithm>

namespace espalier::runtime::sparse {

std::int64_t ActiveWeights::bytes(const format::PackedLayer& l) {
  const std::int64_t outputs = l.weight.shape[0], inputs = std::ssize(l.weight.levels) / outputs;
  return (outputs + kOutputs - 1) / kOutputs * kOutputs * inputs;
}

std::int64_t ActiveWeights::macs(const format::PackedLayer& l) {
  const std::int64_t outputs = l.weight.shape[0], inputs = std::ssize(l.weight.levels) / outputs;
  return (outputs + kLanes - 1) / kLanes * kLanes * inputs;
}

ActiveWeights::ActiveWeights(const format::PackedLayer& l)
    : inputs_(std::ssize(l.weight.levels) / l.weight.shape[0]), weights_({bytes(l)}, DType::kInt8) {
  std::int8_t* to = weights_.mutable_data<std::int8_t>();
  for (std::int64_t o = 0; o < l.weight.shape[0]; ++o) {
    const std::int8_t* from = l.weight.levels.data() + o * inputs_;
    std::int8_t* column = to + o / kOutputs * inputs_ * kOutputs + place(o % kOutputs);
    for (std::int64_t i = 0; i < inputs_; ++i) column[i * kOutputs] = from[i];
  }
}

void ActiveInputs::fill_up() {
  for (; count % kAtOnce; ++count) {
    levels[static_cast<std::size_t>(count)] = 0;
    offsets[static_cast<std::size_t>(count)] = 0;
  }
}

std::int64_t groups_of_tile(const Tiles& t) {
  return std::min<std::int64_t>(ActiveWeights::kOutputs / kLanes,
                                t.finish.groups() - t.channel / kLanes);
}

Tiles group_of_tile(const Tiles& t, std::int64_t group) {
  return {.x = t.x,
          .starts = t.starts,
          .pool = t.pool,
          .finish = t.finish,
          .channel = t.channel + group * kLanes,
          .y = t.y,
          .outputs = t.outputs};
}

void find_active_plain(const std::uint8_t* x, std::int64_t pixels, std::int64_t channels,
                       ActiveInputs& found, std::int32_t* begins) {
  std::size_t n = 0;
  std::int64_t i = 0;
  for (std::int64_t p = 0; p < pixels; ++p) {
    begins[p] = static_cast<std::int32_t>(n);
    for (const std::int64_t end = i + channels; i < end; ++i) {
      found.levels[n] = x[i];
      found.offsets[n] = static_cast<std::int32_t>(i * ActiveWeights::kOutputs);
      n += x[i] != 0;  // no branch to guess: what is 0 is written over
    }
  }
  begins[pixels] = static_cast<std::int32_t>(n);
  found.count = static_cast<std::int64_t>(n);
}

void multiply_active_plain(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                           const Tiles& t, std::int64_t output) {
  std::int32_t largest[ActiveWeights::kOutputs];
  for (const ActiveInputs& window : windows) {
    std::int32_t sums[ActiveWeights::kOutputs] = {};
    for (std::size_t i = 0; i < static_cast<std::size_t>(window.count); ++i)
      for (std::int64_t o = 0; o < ActiveWeights::kOutputs; ++o)
        sums[o] += window.levels[i] * tile[window.offsets[i] + ActiveWeights::place(o)];
    for (std::int64_t o = 0; o < ActiveWeights::kOutputs; ++o)
      largest[o] = &window == &windows.front() ? sums[o] : std::max(largest[o], sums[o]);
  }
  for (std::int64_t g = 0; g < groups_of_tile(t); ++g)
    finish_plain(largest + g * kLanes, group_of_tile(t, g), output);
}

ActiveKernels active_kernels([[maybe_unused]] VectorIsa isa) {
#if defined(__x86_64__)
  if (isa == VectorIsa::kVnni || isa == VectorIsa::kVbmi)
    return {find_active_vnni, multiply_active_vnni};
  if (isa == VectorIsa::kAvx2) return {find_active_avx2, multiply_active_avx2};
#endif
  return {find_active_plain, multiply_active_plain};
}

}  // namespace espalier::runtime::sparse
