#include "compress/export/weight_bits.hpp"

#include <cstdlib>
#include <vector>

namespace espalier::exports {
namespace {

class BitWriter {
 public:
  void put(unsigned bit) {
    if (used_++ % 8 == 0) bytes_.push_back(0);
    bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | bit << ((used_ - 1) % 8));
  }
  void rice(std::uint32_t n, int k) {
    for (std::uint32_t i = 0; i < n >> k; ++i) put(1);
    put(0);
    for (int b = 0; b < k; ++b) put(n >> b & 1);
  }
  Bytes release() { return std::move(bytes_); }

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

// The k whose codes of all of `values` take the fewest bits.
int best_rice(const std::vector<std::uint32_t>& values) {
  int best = 0;
  std::uint64_t least = 0;
  for (int k = 0; k < 8; ++k) {
    std::uint64_t bits = 0;
    for (const std::uint32_t n : values) bits += (n >> k) + 1 + static_cast<std::uint64_t>(k);
    if (k == 0 || bits < least) best = k, least = bits;
  }
  return best;
}

}  // namespace

WeightBits weight_bits(std::span<const std::int8_t> levels) {
  std::vector<std::uint32_t> gaps{0}, sizes;
  for (const int level : levels) {
    if (level == 0) {
      ++gaps.back();
    } else {
      sizes.push_back(static_cast<std::uint32_t>(std::abs(level)) - 1);
      gaps.push_back(0);
    }
  }
  WeightBits out{best_rice(gaps), best_rice(sizes), {}};
  BitWriter writer;
  std::size_t i = 0;
  for (const int level : levels) {
    if (level == 0) continue;
    writer.rice(gaps[i], out.gap_bits);
    writer.put(level < 0);
    writer.rice(sizes[i++], out.size_bits);
  }
  writer.rice(gaps[i], out.gap_bits);
  out.bytes = writer.release();
  return out;
}

}  // namespace espalier::exports
