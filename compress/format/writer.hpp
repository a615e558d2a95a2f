// PackedModel to the bytes of an .esp file (FORMAT.md).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "compress/format/checksum.hpp"
#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"
#include "core/base/error.hpp"

namespace espalier::format {

// The one file of this model in this coding. Errors: `kind`, naming `where`, when the model breaks
// a limit, its shapes do not chain, or nearly all of very many weights are zero (limits.hpp,
// most_weights).
Bytes write(const PackedModel& model, Coding coding = Coding::kRange,
            ErrorKind kind = ErrorKind::kUsage, std::string_view where = "write");

// The version that write() gives this model: the oldest that stores it in the fewest bytes.
int version_for(const PackedModel& model);

// Where a file's bits go, to a few hundredths of a bit. Rounding to bytes and the checksum come on
// top.
struct Sizes {
  double head_bits = 0;  // first byte, input, labels, the end of the list
  std::vector<double> layer_bits;
};
Sizes measure(const PackedModel& model, Coding coding = Coding::kRange);

// What one tensor's levels add to a range-coded file, in bits. shape: [O KH KW I] or [OUT IN]; a
// dense layer directly after flatten is coded as [OUT H W C]. bits: 2 to 8, as in StoredWeight.
double level_bits(std::span<const std::int8_t> levels, std::span<const std::int64_t> shape,
                  int bits);

}  // namespace espalier::format
