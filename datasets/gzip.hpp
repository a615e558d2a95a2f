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

// Only the first bytes, at most `count`, unpacking no further: a header that tells how large the
// rest may be. Fewer where the stream ends or is damaged before: gunzip then says which.
Bytes gunzip_start(std::span<const std::uint8_t> packed, const std::string& name,
                   std::size_t count);

// One gzip stream of these bytes, at most 1 GiB; without a name or a time: the same bytes always.
Bytes gzip(std::span<const std::uint8_t> bytes);

}  // namespace espalier::datasets
