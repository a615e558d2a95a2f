// The bytes of an .esp file to a PackedModel (FORMAT.md).
#pragma once

#include <span>
#include <string>

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

// Errors: kCorrupt, naming the file `name`, for anything but the bytes that write() gives for a
// valid model. Allocates at most in proportion to the bytes that are there (limits.hpp).
PackedModel read(std::span<const std::uint8_t> bytes, std::string name);

}  // namespace espalier::format
