#include "apps/espalier/prepare_image.hpp"

#include "datasets/center_digit.hpp"
#include "datasets/image.hpp"
#include "datasets/resize.hpp"

namespace espalier::apps {

PreparedImage prepare_image(const std::filesystem::path& file, const format::PackedModel& model,
                            bool invert) {
  const auto [height, width, channels] = model.input_shape;
  require((channels == 1 || channels == 3) && height <= datasets::kMaxImageSide &&
              width <= datasets::kMaxImageSide,
          "prepare_image", "the model's input is ", height, " x ", width, " x ", channels,
          "; a picture has 1 or 3 channels and sides up to ", datasets::kMaxImageSide);
  const Tensor picture = datasets::to_float(
      datasets::load_image(file, channels == 1 ? datasets::Color::kGrey : datasets::Color::kRgb));
  const auto size = [](const Tensor& t) {
    return std::to_string(t.shape()[1]) + " x " + std::to_string(t.shape()[0]);
  };
  if (model.input_shape == std::array<std::int64_t, 3>{28, 28, 1}) {
    const auto digit = datasets::center_digit(picture, invert, file.string());
    return {digit.image, size(picture) + ", " +
                             (digit.inverted ? "dark on light: inverted" : "light on dark") +
                             (digit.taken_as_is ? ", taken as it is" : ", centred as MNIST was")};
  }
  PreparedImage prepared{datasets::resize(picture, height, width), size(picture)};
  if (picture.shape() != prepared.image.shape())
    prepared.changes += ", resized to " + size(prepared.image);
  if (invert) {
    for (float& v : prepared.image.mutable_values()) v = 1 - v;
    prepared.changes += ", inverted";
  }
  return prepared;
}

}  // namespace espalier::apps
