// PackedModel to the bytes of an .esp file (FORMAT.md).
#pragma once

#include <string_view>

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

enum class Coding : std::uint8_t { kPlain = 0, kRange = 1 };

// The one file of this model in this coding. Errors: `kind`, naming `where`, when the model breaks
// a limit, its shapes do not chain, or nearly all of very many weights are zero (limits.hpp,
// most_weights).
Bytes write(const PackedModel& model, Coding coding = Coding::kRange,
            ErrorKind kind = ErrorKind::kUsage, std::string_view where = "write");

}  // namespace espalier::format
