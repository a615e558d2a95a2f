// The only place that includes libjpeg-turbo. image.hpp is what others want.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor/tensor.hpp"
#include "datasets/image.hpp"

namespace espalier::datasets {

inline bool is_jpeg(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

// uint8 [H W C], C = 1 or 3: baseline and progressive, grey, YCbCr and RGB, 8 bits. Grey of a
// colour picture is its luma channel Y, which is Rec. 601's. Errors, naming `name`: kCorrupt when
// the bytes are no JPEG, cut, damaged in a way that the decoder sees (a JPEG has no checksum), of
// four colours (CMYK), or over a limit of image.hpp, which is checked before the pixels are
// allocated.
Tensor decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, Color color);

}  // namespace espalier::datasets
