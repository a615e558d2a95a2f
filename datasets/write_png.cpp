#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

#include "core/base/file.hpp"
#include "datasets/image.hpp"

namespace espalier::datasets {

Bytes encode_png(const Tensor& image, const std::string& name) {
  const Shape& s = image.shape();
  require(s.rank() == 3 && image.dtype() == DType::kUint8 && (s[2] == 1 || s[2] == 3) &&
              image.elements() > 0 && s[0] <= kMaxImageSide && s[1] <= kMaxImageSide,
          "write_png", name, " wants uint8 [H W 1] or [H W 3] of sides 1 to ", kMaxImageSide,
          ", got ", image.dtype(), " ", s);
  const int width = static_cast<int>(s[1]), height = static_cast<int>(s[0]),
            channels = static_cast<int>(s[2]);
  Bytes png;
  const auto append = [](void* to, void* data, int size) {
    const auto* from = static_cast<const std::uint8_t*>(data);
    static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), from, from + size);
  };
  require(stbi_write_png_to_func(append, &png, width, height, channels, image.data<std::uint8_t>(),
                                 width * channels) != 0,
          ErrorKind::kInternal, name, "the PNG could not be encoded: out of memory");
  return png;
}

void write_png(const std::filesystem::path& path, const Tensor& image) {
  write_file(path, encode_png(image, path.string()));
}

}  // namespace espalier::datasets
