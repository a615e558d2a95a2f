#include "datasets/mnist.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "datasets/idx.hpp"
#include "datasets/in_memory.hpp"

namespace fs = std::filesystem;
namespace espalier::datasets {
namespace {

// The file's path, plain or .gz; nullopt if there is neither.
std::optional<fs::path> find(const fs::path& folder, const std::string& name) {
  std::error_code ignored;  // an unreadable folder holds nothing for us
  for (const char* suffix : {"", ".gz"})
    if (fs::path path = folder / (name + suffix); fs::exists(path, ignored)) return path;
  return std::nullopt;
}

bool holds_any(const fs::path& folder) {
  for (const char* part : {"train", "t10k"})
    for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"})
      if (find(folder, std::string(part) + kind)) return true;
  return false;
}

fs::path find_or_fail(const fs::path& folder, const std::string& name) {
  const auto path = find(folder, name);
  require(path.has_value(), ErrorKind::kIo, (folder / name).string(),
          "is missing, plain and as .gz, though other files of MNIST are there");
  return *path;
}

std::shared_ptr<const Dataset> load(const fs::path& folder, const std::string& part) {
  const fs::path images = find_or_fail(folder, part + "-images-idx3-ubyte");
  const fs::path labels = find_or_fail(folder, part + "-labels-idx1-ubyte");
  const Tensor pixels = load_idx(images, 3);
  require(pixels.shape()[1] == 28 && pixels.shape()[2] == 28, ErrorKind::kCorrupt, images.string(),
          "wants images of 28 x 28, got ", pixels.shape());
  return std::make_shared<InMemory>(pixels, load_idx(labels, 1), 10, labels.string());
}

}  // namespace

std::optional<MnistData> load_mnist(std::optional<fs::path> data) {
  if (data) {  // named by the user: another folder's data would not be what was asked for
    require(
        holds_any(*data), ErrorKind::kIo, data->string(),
        "holds no file of MNIST (train-images-idx3-ubyte and its three companions, plain or .gz); "
        "check the path");
    return MnistData{load(*data, "train"), load(*data, "t10k")};
  }
  std::vector<fs::path> folders;
  if (const char* folder = std::getenv("MNIST_DIR"); folder && *folder) folders.push_back(folder);
  if (const char* home = std::getenv("HOME"); home && *home)
    folders.push_back(fs::path(home) / ".cache/espalier/mnist");
  for (const auto& folder : folders)
    if (holds_any(folder)) return MnistData{load(folder, "train"), load(folder, "t10k")};
  return std::nullopt;
}

}  // namespace espalier::datasets
