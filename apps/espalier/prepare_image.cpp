#include "apps/espalier/prepare_image.hpp"

#include "datasets/center_digit.hpp"
#include "datasets/image.hpp"
#include "datasets/resize.hpp"

namespace espalier::apps {
namespace {

// What `picture` was before each of its pixels was repeated k times in both directions to
// k * height rows and k * width columns, k > 1; itself, if it was not made so.
Tensor unrepeated(const Tensor& picture, std::int64_t height, std::int64_t width) {
  const std::int64_t h = picture.shape()[0], w = picture.shape()[1], c = picture.shape()[2];
  const std::int64_t k = h / height;
  if (k < 2 || h != k * height || w != k * width) return picture;
  Tensor small = Tensor::uninitialized({height, width, c});
  for (std::int64_t y = 0; y < h; ++y)
    for (std::int64_t x = 0; x < w; ++x)
      for (std::int64_t i = 0; i < c; ++i) {
        const float v = picture.data()[(y * w + x) * c + i];
        float& first = small.mutable_data()[((y / k) * width + x / k) * c + i];
        if (y % k == 0 && x % k == 0) first = v;
        if (v != first) return picture;
      }
  return small;
}

// MNIST's classes have no names in the file, unless someone gave them theirs.
bool reads_digits(const format::PackedModel& model) {
  return model.input_shape == std::array<std::int64_t, 3>{28, 28, 1} &&
         (model.labels.empty() || model.labels[0] == "0" || model.labels[0] == "zero");
}

}  // namespace

PreparedImage prepare_image(const std::filesystem::path& file, const format::PackedModel& model,
                            bool invert) {
  const auto [height, width, channels] = model.input_shape;
  require((channels == 1 || channels == 3) && height <= datasets::kMaxImageSide &&
              width <= datasets::kMaxImageSide,
          "prepare_image", "the model's input is ", height, " x ", width, " x ", channels,
          "; a picture has 1 or 3 channels and sides up to ", datasets::kMaxImageSide);
  const Tensor bytes =
      datasets::load_image(file, channels == 1 ? datasets::Color::kGrey : datasets::Color::kRgb);
  const Tensor picture = datasets::to_float(bytes);
  const auto size = [](const Tensor& t) {
    return std::to_string(t.shape()[1]) + " x " + std::to_string(t.shape()[0]);
  };
  if (reads_digits(model)) {
    const auto digit =
        datasets::center_digit(unrepeated(picture, height, width), invert, file.string());
    return {digit.image, size(picture) + ", " +
                             (digit.inverted ? "dark on light: inverted" : "light on dark") +
                             (digit.taken_as_is ? ", taken as it is" : ", centred as MNIST was")};
  }
  PreparedImage prepared{datasets::to_float(datasets::resize_bytes(bytes, height, width)),
                         size(picture)};
  if (picture.shape() != prepared.image.shape())
    prepared.changes += ", resized to " + size(prepared.image);
  if (invert) {
    for (float& v : prepared.image.mutable_values()) v = 1 - v;
    prepared.changes += ", inverted";
  }
  return prepared;
}

}  // namespace espalier::apps
