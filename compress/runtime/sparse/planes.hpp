// A convolution of stride 1 with the positions of an image in the lanes: each weight that is not 0 multiplies a
// shifted plane, so that single zeros are left out wherever they stand. (E. Elsen, M. Dukhan, T. Gale, K. Simonyan:
// Fast Sparse ConvNets, 2019, section 3, do so for 1x1 convolutions.)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/runtime/sparse/finish.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime::sparse {

inline constexpr std::int64_t kPositions = 32;  // that kernels multiply at once

// An image as planes [C HEIGHT WIDTH] with a border. A row's border on the right is the next one's on the left. Position
// h * width + w is where the window of output h, w begins; those between rows make sums that nobody reads.
struct Planes {
  std::int64_t channels, height, width;
  std::int64_t top, left;     // where the image begins
  std::int64_t out_h, out_w;  // of the convolution

  // In front of a pool, up to a multiple of kPositions.
  std::int64_t positions() const {
    return ((out_h - 1) * width + out_w + kPositions - 1) / kPositions * kPositions;
  }
  std::int64_t plane() const { return height * width; }
  // With what kernels read behind the last position's last tap.
  std::int64_t bytes() const { return channels * plane() + left + 2 * kPositions; }
};
Planes planes_of(const format::PackedLayer& layer, const Shape& x);

// The weights of one output channel that are not 0, four at a time, and where the levels lie that they multiply, counted
// from a position.
struct PlaneTaps {
  std::span<const std::int32_t> offsets;  // a multiple of four: zeros fill up
  std::span<const std::int8_t> weights;
  // So many come first, a multiple of eight, whose products need no more than 16 bits: those of each eight's
  // numbers 0, 1, 4 and 5 together, and those of the others.
  std::int64_t small;
};

class PlaneWeights {
 public:
  // Of all channels, zeros that fill up included.
  static std::int64_t count(const format::PackedLayer& layer);
  static constexpr std::int64_t kBytes = 5;  // of each

  // Errors: kUsage when planes are too large for offsets of 31 bits.
  PlaneWeights(const format::PackedLayer& layer, const Planes& planes);

  PlaneTaps taps(std::int64_t channel) const;

 private:
  std::vector<std::int32_t> offsets_;
  std::vector<std::int8_t> weights_;
  std::vector<std::size_t> ends_;  // of each channel
  std::vector<std::int64_t> small_;
};

// sums[p], p from 0 to `positions`, a multiple of kPositions: the products of all taps.
using MultiplyPlanes = void (*)(const std::uint8_t* planes, const PlaneTaps& taps,
                                std::int64_t positions, std::int32_t* sums);

// How a channel's sums become levels: the maximum over pooling windows, finished, [OUTPUTS].
struct PlanePool {
  std::int64_t row;  // sums from one row to the next
  std::int64_t out_h, out_w;
  std::int64_t height, width, stride_h, stride_w;  // of a window
};
// Reads and writes up to kPositions behind the last.
using FinishPlane = void (*)(const std::int32_t* sums, const PlanePool& pool, const Finish& finish,
                             std::size_t channel, std::uint8_t* levels);

struct PlaneKernels {
  MultiplyPlanes multiply;
  FinishPlane finish;
};
PlaneKernels plane_kernels(VectorIsa isa);

void multiply_planes_plain(const std::uint8_t* planes, const PlaneTaps& taps,
                           std::int64_t positions, std::int32_t* sums);
void finish_plane_plain(const std::int32_t* sums, const PlanePool& pool, const Finish& finish,
                        std::size_t channel, std::uint8_t* levels);
#if defined(__x86_64__)
void multiply_planes_avx2(const std::uint8_t* planes, const PlaneTaps& taps, std::int64_t positions,
                          std::int32_t* sums);
void finish_plane_avx2(const std::int32_t* sums, const PlanePool& pool, const Finish& finish,
                       std::size_t channel, std::uint8_t* levels);
#endif

// The maximum of the window of output `row`, `column`.
std::int32_t largest_of_window(const std::int32_t* sums, const PlanePool& pool, std::int64_t row,
                               std::int64_t column);

}  // namespace espalier::runtime::sparse
