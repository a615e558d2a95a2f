// What stb_image does not check: it takes a cut BMP for a whole one, and reads no CRC of a PNG.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace espalier::datasets {

// Errors: kCorrupt, naming the file, unless `bytes` are
//  - a PNG whose sizes keep the limits of image.hpp and whose chunks are whole, up to IEND, with
//  the
//    right CRCs (bytes behind IEND are ignored, as other decoders do), or
//  - an uncompressed BMP whose sizes keep the limits and whose rows are all there.
void check_image_headers(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace espalier::datasets
