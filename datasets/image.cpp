#include "datasets/image.hpp"

#include "core/base/file.hpp"
#include "datasets/image_headers.hpp"
#include "datasets/jpeg_decode.hpp"
#include "datasets/luma.hpp"
#include "datasets/stb_decode.hpp"

namespace espalier::datasets {
namespace {

// `channels` 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) at `from`; over white.
void convert(const std::uint8_t* from, int channels, std::uint8_t* to, Color color) {
  const bool has_alpha = channels == 2 || channels == 4, has_color = channels >= 3;
  const int alpha = has_alpha ? from[channels - 1] : 255;
  const auto over_white = [&](int c) {
    return (from[has_color ? c : 0] * alpha + 255 * (255 - alpha) + 127) / 255;
  };
  if (color == Color::kRgb) {
    for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>(over_white(c));
    return;
  }
  *to = has_color ? luma(over_white(0), over_white(1), over_white(2))
                  : static_cast<std::uint8_t>(over_white(0));
}

}  // namespace

Tensor decode_image(std::span<const std::uint8_t> bytes, const std::string& name, Color color) {
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name, color);
  check_image_headers(bytes, name);
  const StbImage decoded(bytes, name);
  const auto channels = static_cast<std::int64_t>(color);
  Tensor image = Tensor::uninitialized({decoded.height, decoded.width, channels}, DType::kUint8);
  const std::uint8_t* from = decoded.pixels;
  std::uint8_t* to = image.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < image.elements(); i += channels, from += decoded.channels)
    convert(from, decoded.channels, to + i, color);
  return image;
}

Tensor load_image(const std::filesystem::path& path, Color color) {
  const bool standard_input = path == "-";
  return decode_image(read_file(standard_input ? "/dev/stdin" : path, kMaxImageFileBytes),
                      standard_input ? "standard input" : path.string(), color);
}

Tensor to_float(const Tensor& image) {
  Tensor out = Tensor::uninitialized(image.shape());
  std::ranges::transform(image.values<std::uint8_t>(), out.mutable_data(),
                         [](std::uint8_t v) { return static_cast<float>(v) / 255.0f; });
  return out;
}

}  // namespace espalier::datasets
