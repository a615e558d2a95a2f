#include "apps/espalier/draw.hpp"

#include <algorithm>
#include <string_view>

namespace espalier::apps {
namespace {

constexpr float kInk = 0.4f;

float grey(const Tensor& image, std::int64_t y, std::int64_t x) {
  const Shape& s = image.shape();
  if (y >= s[0]) return 0;
  float sum = 0;
  for (std::int64_t c = 0; c < s[2]; ++c) sum += image.data()[(y * s[1] + x) * s[2] + c];
  return sum / static_cast<float>(s[2]);
}

}  // namespace

std::string draw(const Tensor& image, bool utf8, const std::string& margin) {
  constexpr std::string_view kRamp = " .:-=+*#%@";
  constexpr std::string_view kBlocks[] = {" ", "\u2580", "\u2584", "\u2588"};  // none up down both
  std::string text;
  for (std::int64_t y = 0; y < image.shape()[0]; y += 2) {
    std::string line = margin;
    for (std::int64_t x = 0; x < image.shape()[1]; ++x) {
      const float up = grey(image, y, x), down = grey(image, y + 1, x);
      const float ink = std::clamp((up + down) / 2, 0.0f, 1.0f);
      line += utf8 ? kBlocks[(up >= kInk ? 1 : 0) + (down >= kInk ? 2 : 0)]
                   : kRamp.substr(static_cast<std::size_t>(ink * 9.99f), 1);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace espalier::apps
