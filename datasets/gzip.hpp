// Gzip, as MNIST's files come.
#pragma once

#include <span>
#include <string>

#include "core/base/bytes.hpp"

namespace espalier::datasets {

inline bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

// Errors, naming `name`: kCorrupt when the stream is damaged, cut, followed by other bytes, or
// unpacks to more than `limit_bytes`.
Bytes gunzip(std::span<const std::uint8_t> packed, const std::string& name,
             std::size_t limit_bytes);

}  // namespace espalier::datasets
