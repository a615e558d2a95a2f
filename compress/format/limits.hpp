// Absolute limits of an .esp file. The reader checks every declared size against them before it
// allocates; the writer refuses what the reader would refuse.
#pragma once

#include <algorithm>
#include <cstdint>

namespace espalier::format {

constexpr std::uint64_t kMaxFileBytes = 1ull << 28;
constexpr std::uint64_t kMaxLayers = 1024;
constexpr std::uint64_t kMaxLabels = 65536;
constexpr std::uint64_t kMaxColumns = 65536;           // with statistics of their own
constexpr std::uint64_t kMaxTextBytes = 256;           // one name or label
constexpr std::uint64_t kMaxDimension = 1ull << 20;    // H, W, C, OUT
constexpr std::uint64_t kMaxActivations = 1ull << 26;  // H * W * C between two layers
constexpr std::uint64_t kMaxWeights = 1ull << 26;      // of all layers together
constexpr std::uint64_t kMaxWindow = 4096;             // kernel, stride, padding
// Of all stages together that others than the next layer read (wiring.hpp).
constexpr std::uint64_t kMaxKeptActivations = 1ull << 27;
constexpr std::int32_t kMaxBiasShift = 31;
// Of a residual's summand's scale to the sum's: 127 times it is rounded in float32.
constexpr float kMaxSummandRatio = 1 << 14;

// The most weights that a file of `bytes` bytes may stand for, so that a tiny one cannot ask for a
// large allocation: a decision costs at least 0.0007 bits (BitModel::p1 keeps 32/65536 away from 0
// and 1), which is 11,360 to a byte, and one decision may stand for a whole kernel or row of zeros.
constexpr std::uint64_t kMaxWeightsPerByte = 16384, kFreeWeights = 1ull << 19;
constexpr std::uint64_t most_weights(std::uint64_t bytes) {
  return std::min(kMaxWeights, std::max(kFreeWeights, kMaxWeightsPerByte * bytes));
}

}  // namespace espalier::format
