#include "apps/bench/peers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>

namespace espalier::bench {
namespace {

template <class Symbol>
std::map<Symbol, std::uint64_t> histogram(const std::vector<Symbol>& symbols) {
  std::map<Symbol, std::uint64_t> counts;
  for (const auto s : symbols) ++counts[s];
  return counts;
}

// Bits of a Huffman code, which are the sum of all inner nodes' counts, and of the table of its
// lengths, five for each symbol from the least to the largest. A single symbol takes a bit.
std::uint64_t huffman_bits(const std::vector<int>& symbols) {
  if (symbols.empty()) return 0;
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> nodes;
  for (const auto& [symbol, count] : histogram(symbols)) nodes.push(count);
  const auto [least, largest] = std::ranges::minmax(symbols);
  std::uint64_t bits = 16 + 5 * static_cast<std::uint64_t>(largest - least + 1);
  if (nodes.size() == 1) return bits + symbols.size();
  while (nodes.size() > 1) {
    auto sum = nodes.top();
    nodes.pop();
    sum += nodes.top();
    nodes.pop();
    bits += sum;
    nodes.push(sum);
  }
  return bits;
}

}  // namespace

double entropy_bytes(const std::vector<Tensor8>& tensors) {
  double bits = 0;
  for (const auto& t : tensors) {
    const auto total = static_cast<double>(t.levels.size());
    for (const auto& [level, count] : histogram(std::vector<int>(t.levels.begin(), t.levels.end())))
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / total);
  }
  return bits / 8;
}

std::size_t bitmap_bytes(const std::vector<Tensor8>& tensors) {
  std::size_t bits = 0;
  for (const auto& t : tensors) {
    const auto zeros = static_cast<std::size_t>(std::ranges::count(t.levels, 0));
    bits += t.levels.size() + (t.levels.size() - zeros) * static_cast<std::size_t>(t.bits);
  }
  return (bits + 7) / 8;
}

std::size_t csr_huffman_bytes(const std::vector<Tensor8>& tensors) {
  std::uint64_t bits = 0;
  for (const auto& t : tensors) {
    const int gap_bits = t.convolution ? 8 : 5;
    std::vector<int> gaps, values;
    int gap = 0;
    for (const int level : t.levels) {
      if (level == 0 && gap + 1 < 1 << gap_bits) {
        ++gap;
        continue;
      }
      gaps.push_back(gap), values.push_back(level);
      gap = 0;
    }
    bits += huffman_bits(gaps) + huffman_bits(values) + 32;  // their number
  }
  return (bits + 7) / 8;
}

std::size_t rans_bytes(const std::vector<Tensor8>& tensors) {
  constexpr std::uint32_t kTotal = 1u << 12, kLow = 1u << 23;
  std::uint64_t bits = 0;
  std::size_t bytes = 4;  // the state
  std::uint32_t state = kLow;
  for (const auto& t : tensors) {
    bits += 12u * ((1u << t.bits) - 1);
    const auto counts = histogram(std::vector<int>(t.levels.begin(), t.levels.end()));
    std::map<int, format::Share> shares;
    std::uint32_t first = 0;
    int largest = counts.begin()->first;
    for (const auto& [level, count] : counts) {
      const auto share = 1 + count * (kTotal - counts.size()) / t.levels.size();
      shares[level].count = static_cast<std::uint32_t>(share);
      first += shares[level].count;
      if (count > counts.at(largest)) largest = level;
    }
    shares[largest].count += kTotal - first;
    first = 0;
    for (auto& [level, share] : shares) share.first = first, first += share.count;
    for (std::size_t i = t.levels.size(); i-- > 0;) {
      const auto share = shares[t.levels[i]];
      for (; state >= ((kLow / kTotal) << 8) * share.count; state >>= 8) ++bytes;
      state = state / share.count * kTotal + state % share.count + share.first;
    }
  }
  return bytes + (bits + 7) / 8;
}

std::size_t our_bytes(const std::vector<Tensor8>& tensors, format::Ingredients use) {
  format::RangeEncoder coder;
  format::LevelModels models(use);
  for (const auto& t : tensors) format::LevelCoder(coder, t.levels, t.shape, t.bits, models).code();
  return coder.finish().size();
}

}  // namespace espalier::bench
