// PackedModel to the bytes of an .esp file (FORMAT.md).
#pragma once

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

enum class Coding : std::uint8_t { kPlain = 0, kRange = 1 };

// Errors: kUsage when the model breaks a limit or its shapes do not chain.
Bytes write(const PackedModel& model, Coding coding = Coding::kRange);

}  // namespace espalier::format
