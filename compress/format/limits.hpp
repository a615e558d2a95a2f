// Absolute limits of an .esp file. The reader checks every declared size against them before it
// allocates; the writer refuses what the reader would refuse.
#pragma once

#include <algorithm>
#include <cstdint>

namespace espalier::format {

constexpr std::uint64_t kMaxFileBytes = 1ull << 28;
constexpr std::uint64_t kMaxLayers = 1024;
constexpr std::uint64_t kMaxLabels = 65536;
constexpr std::uint64_t kMaxTextBytes = 256;           // one name or label
constexpr std::uint64_t kMaxDimension = 1ull << 20;    // H, W, C, OUT
constexpr std::uint64_t kMaxActivations = 1ull << 26;  // H * W * C between two layers
constexpr std::uint64_t kMaxWeights = 1ull << 26;      // of all layers together
constexpr std::uint64_t kMaxWindow = 4096;             // kernel, stride, padding
constexpr std::int32_t kMaxBiasShift = 31;

// The most weights that `bytes` of weight data may stand for, so that a tiny file cannot ask for a
// large allocation. Plain: a bit each in a bitmap. Range-coded: a coded bit narrows the range by at
// least 1 - 31.87/65536 (P(0) is at most 65504/65536, P(1) at most 1 - 32/65536 * 256/257 after
// rounding), so it costs 0.0007 bits: 11,420 to a byte. 16384 leaves a margin for a lucky last
// value, and four bytes are given, because trailing zeros are not stored.
constexpr std::uint64_t kMaxWeightsPerByte = 16384;
constexpr std::uint64_t most_weights(bool range_coded, std::uint64_t bytes) {
  return std::min(kMaxWeights, range_coded ? kMaxWeightsPerByte * (bytes + 4) : 8 * bytes);
}

}  // namespace espalier::format
