// Weights input by input, and the kernels that leave out inputs that are 0: of a digit's pixels four in five,
// behind relu about half. Four inputs that are not 0, wherever they lie, are multiplied at once, so that
// nothing but their weights is read.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/runtime/sparse/finish.hpp"
#include "core/onednn/isa.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime::sparse {

// [tiles inputs 64]: a tile is 64 outputs, and a line of the cache one input's weights in it.
class ActiveWeights {
 public:
  static constexpr std::int64_t kOutputs = 64;  // of a tile

  static std::int64_t bytes(const format::PackedLayer& layer);
  // Multiplied where no input is 0: groups of 16 outputs that a tile has not are left out.
  static std::int64_t macs(const format::PackedLayer& layer);
  explicit ActiveWeights(const format::PackedLayer& layer);
  // Of [outputs, inputs], whose memory it lets go while it goes through them: both are never there as a whole.
  static ActiveWeights of_taken(std::vector<std::int8_t>&& levels, std::int64_t outputs);

  std::int64_t tiles() const { return (outputs_ + kOutputs - 1) / kOutputs; }
  const std::int8_t* tile(std::int64_t t) const {
    return weights_.data<std::int8_t>() + t * inputs_ * kOutputs;
  }
  // Where output `o` of a tile lies in its lines. The processor's unpack instructions work on 16 bytes
  // each: with 4 neighbours of every 16 outputs there, four lines interleaved are 16 outputs in order.
  static constexpr std::int64_t place(std::int64_t o) {
    return o % 16 / 4 * 16 + o / 16 * 4 + o % 4;
  }

 private:
  ActiveWeights(std::int64_t outputs, std::int64_t inputs);
  void fill_tile(std::int64_t t, std::span<const std::int8_t> levels);

  std::int64_t outputs_, inputs_;
  Tensor weights_;  // int8
};

// Inputs that are not 0: their levels, and where in a tile their weights are.
struct ActiveInputs {
  static constexpr std::int64_t kAtOnce = 4;  // that kernels multiply
  // That kernels write: lists have as many more, behind all inputs filled up.
  static constexpr std::int64_t kChunk = 16;
  static std::int64_t length(std::int64_t most) {
    return (most + kAtOnce - 1) / kAtOnce * kAtOnce + kChunk;
  }

  explicit ActiveInputs(std::int64_t most)
      : levels(static_cast<std::size_t>(length(most))), offsets(levels.size()) {}
  // What one takes, about.
  static std::int64_t bytes(std::int64_t most) {
    constexpr std::int64_t kItself = 96;  // with two blocks of the heap
    return kItself + length(most) * 5;
  }

  // Inputs of level 0 up to a multiple of kAtOnce.
  void fill_up();

  std::int64_t count = 0;
  std::vector<std::uint8_t> levels;
  std::vector<std::int32_t> offsets;
};

// Pixels side by side, x [pixels C]. Input number i of them has offset 64 i; begins[p]: how many are not 0 in
// front of pixel p; [pixels + 1]. Reads up to 7 bytes behind the last.
using FindActive = void (*)(const std::uint8_t* x, std::int64_t pixels, std::int64_t channels,
                            ActiveInputs& found, std::int32_t* begins);

// One output of y: the inputs of its windows, each filled up, times the tile's weights, the maximum of them,
// finished. The tile's first channel is tiles.channel.
using MultiplyActive = void (*)(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                                const Tiles& tiles, std::int64_t output);

struct ActiveKernels {
  FindActive find;
  MultiplyActive multiply;
};
ActiveKernels active_kernels(VectorIsa isa);

void find_active_plain(const std::uint8_t* x, std::int64_t pixels, std::int64_t channels,
                       ActiveInputs& found, std::int32_t* begins);
void multiply_active_plain(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                           const Tiles& tiles, std::int64_t output);
#if defined(__x86_64__)
void find_active_avx2(const std::uint8_t* x, std::int64_t pixels, std::int64_t channels,
                      ActiveInputs& found, std::int32_t* begins);
void multiply_active_avx2(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                          const Tiles& tiles, std::int64_t output);
void find_active_vnni(const std::uint8_t* x, std::int64_t pixels, std::int64_t channels,
                      ActiveInputs& found, std::int32_t* begins);
void multiply_active_vnni(const std::int8_t* tile, std::span<const ActiveInputs> windows,
                          const Tiles& tiles, std::int64_t output);
#endif

// The groups of 16 channels, one to four, of the tile that begins with t.channel; one of them.
std::int64_t groups_of_tile(const Tiles& t);
Tiles group_of_tile(const Tiles& t, std::int64_t group);

}  // namespace espalier::runtime::sparse
