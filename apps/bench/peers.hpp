// What other coders make of the same levels, in bytes, each complete: a decoder needs nothing but
// the shapes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/format/level_coder.hpp"

namespace espalier::bench {

struct Tensor8 {
  std::string name;
  std::span<const std::int8_t> levels;
  format::LevelShape shape;
  int bits = 8;
  bool convolution = false;
};

double entropy_bytes(const std::vector<Tensor8>& tensors);  // order 0, a table a tensor, uncounted
std::size_t bitmap_bytes(const std::vector<Tensor8>& tensors);  // and `bits` bits a nonzero
// Han, Mao & Dally 2016: gaps between nonzeros in 8 bits (convolution) or 5 (dense), a zero filled
// in where a gap is longer; gaps and values each by a Huffman code; its lengths in 5 bits a symbol.
std::size_t csr_huffman_bytes(const std::vector<Tensor8>& tensors);
// Static rANS (Duda 2013) with 32-bit state and shares of 2^12, which take 12 bits a symbol.
std::size_t rans_bytes(const std::vector<Tensor8>& tensors);
std::size_t our_bytes(const std::vector<Tensor8>& tensors, format::Ingredients use = {});

// General compressors, on the levels as bytes, one tensor after the other. None: not built in.
std::size_t zlib_bytes(std::span<const std::uint8_t> bytes);                   // level 9
std::optional<std::size_t> zstd_bytes(std::span<const std::uint8_t> bytes);    // 19
std::optional<std::size_t> xz_bytes(std::span<const std::uint8_t> bytes);      // 9e
std::optional<std::size_t> brotli_bytes(std::span<const std::uint8_t> bytes);  // 11

}  // namespace espalier::bench
