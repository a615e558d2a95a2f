#include <algorithm>
#include <cmath>

#include "core/base/interrupt.hpp"
#include "core/base/new_folder.hpp"
#include "datasets/image.hpp"
#include "datasets/image_folder.hpp"

namespace espalier::datasets {
namespace {

namespace fs = std::filesystem;

// With zeros before it, so that names ascend as numbers do.
std::string number(std::int64_t i, std::int64_t count) {
  const std::string digits = std::to_string(i), most = std::to_string(count - 1);
  return std::string(most.size() - digits.size(), '0') + digits;
}

void write_part(NewFolder& folder, const std::string& part, const Dataset& data,
                const std::vector<std::string>& labels) {
  for (const std::string& label : labels) fs::create_directories(folder.temporary() / part / label);
  Tensor bytes = Tensor::uninitialized(data.image_shape(), DType::kUint8);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    check_interrupt("PNG");
    const Example example = data.get(i);
    std::ranges::transform(example.image.values(), bytes.mutable_data<std::uint8_t>(), [](float v) {
      return static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0f, 1.0f) * 255.0f));
    });
    const fs::path file = fs::path(part) / labels[static_cast<std::size_t>(example.label)] /
                          (number(i, data.size()) + ".png");
    folder.write(file, encode_png(bytes, file.string()));
  }
}

}  // namespace

void write_image_folder(const fs::path& folder, const TrainTest& data,
                        std::vector<std::string> labels) {
  const Shape s = data.train->image_shape();
  const auto classes = static_cast<std::size_t>(data.train->classes());
  require(s[2] == 1 || s[2] == 3, "PNG", "wants images of 1 or 3 channels, got ", s);
  for (std::size_t c = 0; labels.size() == c && c < classes; ++c)
    labels.push_back(number(static_cast<std::int64_t>(c), static_cast<std::int64_t>(classes)));
  require(labels.size() == classes, "PNG", "has ", classes, " classes, got ", labels.size(),
          " labels");
  for (const std::string& label : labels)
    require(!label.empty() && label[0] != '.' && label.find('/') == std::string::npos, "PNG",
            "the class '", label, "' cannot be the name of a folder; write IDX files");
  NewFolder made(folder);
  write_part(made, "train", *data.train, labels);
  write_part(made, "test", *data.test, labels);
  made.finish();
}

}  // namespace espalier::datasets
