#include "datasets/warp.hpp"

#include <cmath>

namespace espalier::datasets {

Tensor warped(const Tensor& image, const LinearMap& map) {
  const Shape& s = image.shape();
  require(s.rank() == 3, "warped", "wants an image [H W C], got ", s);
  const std::int64_t height = s[0], width = s[1], channels = s[2];
  const float cx = static_cast<float>(width - 1) / 2, cy = static_cast<float>(height - 1) / 2;
  Tensor out(s);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const float dx = static_cast<float>(x) - cx, dy = static_cast<float>(y) - cy;
      const float from_x = cx + map.xx * dx + map.xy * dy, from_y = cy + map.yx * dx + map.yy * dy;
      const auto left = static_cast<std::int64_t>(std::floor(from_x)),
                 top = static_cast<std::int64_t>(std::floor(from_y));
      const float right_part = from_x - static_cast<float>(left),
                  low_part = from_y - static_cast<float>(top);
      float* to = out.mutable_data() + (y * width + x) * channels;
      for (int corner = 0; corner < 4; ++corner) {
        const std::int64_t column = left + corner % 2, row = top + corner / 2;
        const float weight =
            (corner % 2 ? right_part : 1 - right_part) * (corner / 2 ? low_part : 1 - low_part);
        if (weight == 0 || column < 0 || column >= width || row < 0 || row >= height) continue;
        const float* from = image.data() + (row * width + column) * channels;
        for (std::int64_t c = 0; c < channels; ++c) to[c] += weight * from[c];
      }
    }
  return out;
}

}  // namespace espalier::datasets
