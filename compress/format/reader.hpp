// The bytes of an .esp file to a PackedModel (FORMAT.md).
#pragma once

#include <span>
#include <string>

#include "compress/format/packed_model.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

// Errors: kCorrupt, naming the file `name`, for anything but a valid model.
PackedModel read(std::span<const std::uint8_t> bytes, std::string name);

}  // namespace espalier::format
