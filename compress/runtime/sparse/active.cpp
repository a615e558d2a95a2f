#include "compress/runtime/sparse/active.hpp"

#include <algorithm>

#include "core/base/pages.hpp"

namespace espalier::runtime::sparse {

std::int64_t ActiveWeights::bytes(const format::PackedLayer& l) {
  const std::int64_t outputs = l.weight.shape[0], inputs = std::ssize(l.weight.levels) / outputs;
  return (outputs + kOutputs - 1) / kOutputs * kOutputs * inputs;
}

std::int64_t ActiveWeights::macs(const format::PackedLayer& l) {
  const std::int64_t outputs = l.weight.shape[0], inputs = std::ssize(l.weight.levels) / outputs;
  return (outputs + kLanes - 1) / kLanes * kLanes * inputs;
}

// Written tile by tile, so that a page is there when it is needed.
ActiveWeights::ActiveWeights(std::int64_t outputs, std::int64_t inputs)
    : outputs_(outputs),
      inputs_(inputs),
      weights_(Tensor::uninitialized({tiles() * kOutputs * inputs}, DType::kInt8)) {}

ActiveWeights::ActiveWeights(const format::PackedLayer& l)
    : ActiveWeights(l.weight.shape[0], std::ssize(l.weight.levels) / l.weight.shape[0]) {
  for (std::int64_t t = 0; t < tiles(); ++t) fill_tile(t, l.weight.levels);
}

ActiveWeights ActiveWeights::of_taken(std::vector<std::int8_t>&& levels, std::int64_t outputs) {
  std::vector<std::int8_t> from = std::move(levels);
  ActiveWeights weights(outputs, std::ssize(from) / outputs);
  std::size_t released = 0;
  for (std::int64_t t = 0; t < weights.tiles(); ++t) {
    weights.fill_tile(t, from);
    const auto done =
        static_cast<std::size_t>(std::min((t + 1) * kOutputs, outputs) * weights.inputs_);
    released += release_pages(from.data() + released, done - released);
  }
  return weights;
}

void ActiveWeights::fill_tile(std::int64_t t, std::span<const std::int8_t> levels) {
  const std::int64_t first = t * kOutputs, outputs = std::min(kOutputs, outputs_ - first);
  std::int8_t* lines = weights_.mutable_data<std::int8_t>() + first * inputs_;
  if (outputs < kOutputs) std::fill_n(lines, kOutputs * inputs_, std::int8_t{0});
  // Four outputs are neighbours in a line: written one by one, each would fetch all lines anew.
  for (std::int64_t o = 0; o < outputs; o += 4) {
    const std::int8_t* from = levels.data() + (first + o) * inputs_;
    std::int8_t* column = lines + place(o);
    const std::int64_t rows = std::min<std::int64_t>(4, outputs - o);
    for (std::int64_t i = 0; i < inputs_; ++i)
      for (std::int64_t r = 0; r < rows; ++r) column[i * kOutputs + r] = from[r * inputs_ + i];
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
