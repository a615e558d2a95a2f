// Pictures in files. PNG and BMP are decoded by stb_image behind limits of our own (it reads other
// formats too, but not safely enough for files from strangers: those are not compiled in), JPEG by
// libjpeg-turbo.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

inline constexpr std::int64_t kMaxImageSide = 4096;               // pixels
inline constexpr std::size_t kMaxImageFileBytes = 64u << 20;      // of the file
inline constexpr std::size_t kMaxImageDecodingBytes = 64u << 20;  // all that decoding allocates

enum class Color { kGrey = 1, kRgb = 3 };  // the value is the number of channels

// uint8 [H W C], C = 1 or 3, H and W in 1..kMaxImageSide. Palettes are looked up, 16 bits become 8,
// transparent pixels are laid over white, and grey is Rec. 601's luma: (77 R + 150 G + 29 B) / 256.
// A JPEG: datasets/jpeg_decode.hpp. Errors, naming `name`: kCorrupt when the bytes are no PNG, BMP or
// JPEG, cut, damaged (each PNG chunk's CRC is checked) or over a limit.
Tensor decode_image(std::span<const std::uint8_t> bytes, const std::string& name, Color color);

// The same of a file; "-" is standard input. Errors: also kIo when it cannot be read.
Tensor load_image(const std::filesystem::path& path, Color color);

// float32 [H W C], value / 255.
Tensor to_float(const Tensor& image);

// uint8 [H W C], C = 1 or 3, as the bytes of a PNG. Errors, naming `name`: kUsage for another shape.
Bytes encode_png(const Tensor& image, const std::string& name);
// Writes it, atomically. Errors: also kIo.
void write_png(const std::filesystem::path& path, const Tensor& image);

}  // namespace espalier::datasets
