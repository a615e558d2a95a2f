// Pictures made for tests.
#pragma once

#include <cstdio>  // jpeglib.h wants FILE

#include <jpeglib.h>

#include <cstdlib>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::tests {

struct JpegOptions {
  int quality = 95;
  bool progressive = false;
  bool cmyk = false;        // four channels of the picture's first
  bool many_scans = false;  // grey alone: 127 of them, each coefficient twice
};

// Of uint8 [H W C], C = 1 or 3.
inline Bytes jpeg_of(const Tensor& image, const JpegOptions& options = {}) {
  const auto height = image.shape()[0], width = image.shape()[1], channels = image.shape()[2];
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = options.cmyk ? 4 : static_cast<int>(channels);
  jpeg.in_color_space = options.cmyk ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&jpeg);
  std::vector<jpeg_scan_info> scans = {{1, {0}, 0, 0, 0, 0}};
  for (int k = 1; k < 64; ++k) scans.push_back({1, {0}, k, k, 0, 1});
  for (int k = 1; k < 64; ++k) scans.push_back({1, {0}, k, k, 1, 0});
  if (options.many_scans) {
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&jpeg, TRUE);
  Bytes row;
  for (std::int64_t y = 0; y < height; ++y) {
    row.clear();
    const std::uint8_t* from = image.data<std::uint8_t>() + y * width * channels;
    for (std::int64_t x = 0; x < width; ++x)
      for (int c = 0; c < jpeg.input_components; ++c)
        row.push_back(from[x * channels + (options.cmyk ? 0 : c)]);
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&jpeg, &rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  const Bytes bytes(out, out + size);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return bytes;
}

// Smooth, and of its own kind: brighter to the right and, with `down`, to the bottom.
inline Tensor gradient(std::int64_t height, std::int64_t width, std::int64_t channels,
                       bool down = false) {
  Tensor image(Shape{height, width, channels}, DType::kUint8);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x)
      for (std::int64_t c = 0; c < channels; ++c)
        image.mutable_data<std::uint8_t>()[(y * width + x) * channels + c] =
            static_cast<std::uint8_t>((down ? y * 200 / height : x * 200 / width) + 20 * c);
  return image;
}

}  // namespace espalier::tests
