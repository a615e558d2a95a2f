// Bytes of rows as bytes of columns.
#pragma once

#include <cstdint>

namespace espalier::runtime::sparse {

// from [rows columns], its rows `from_stride` apart, to [columns rows], `to_stride` apart. They do not overlap.
void transpose_bytes(const std::uint8_t* from, std::int64_t rows, std::int64_t columns,
                     std::int64_t from_stride, std::uint8_t* to, std::int64_t to_stride);

}  // namespace espalier::runtime::sparse
