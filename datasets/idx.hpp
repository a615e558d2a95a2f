// IDX, the format of MNIST (LeCun 1998): two zero bytes, element type, rank, big-endian sizes,
// bytes. Plain or gzipped.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/open_file.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

inline constexpr std::size_t kMaxIdxBytes = std::size_t{1} << 30;

// An array of unsigned bytes of the wanted rank (1: labels [N], 3: images [N H W], 4: [N H W C]).
// Errors: kIo when the file cannot be read; kCorrupt, naming it, when the gzip stream is damaged,
// the header is no IDX of unsigned bytes and that rank, or the bytes are fewer or more than it
// says.
Tensor load_idx(const std::filesystem::path& path, int rank);

// The same of bytes already read; `name` stands in the errors.
Tensor decode_idx(Bytes bytes, int rank, const std::string& name);

// An array that stays in its file, which is not gzipped.
struct IdxPlace {
  Shape shape;
  std::uint64_t offset = 0;  // of its first byte
};
// Errors: as load_idx, but of up to 2^40 bytes.
IdxPlace find_idx(const OpenFile& file, int rank);

// The array of uint8 as IDX, not gzipped. Errors: kUsage for another type or more than kMaxIdxBytes.
Bytes encode_idx(const Tensor& array);

}  // namespace espalier::datasets
