// The only place that compiles stb_image. image.hpp is what others want.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace espalier::datasets {

// The decoded pixels, 8 bits a channel, freed with this object.
struct StbImage {
  // Errors: kCorrupt, naming the file, when stb_image refuses or wants more memory than
  // kMaxImageDecodingBytes.
  StbImage(std::span<const std::uint8_t> bytes, const std::string& name);
  ~StbImage();
  StbImage(const StbImage&) = delete;
  StbImage& operator=(const StbImage&) = delete;

  int width = 0, height = 0, channels = 0;  // 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
  std::uint8_t* pixels = nullptr;           // [height width channels]
};

}  // namespace espalier::datasets
