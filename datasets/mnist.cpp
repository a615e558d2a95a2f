#include "datasets/mnist.hpp"

#include <cstdlib>
#include <string>

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

// How many of the four are there.
int held(const fs::path& folder) {
  int count = 0;
  for (const char* part : {"train", "t10k"})
    for (const char* kind : {"-images-idx3-ubyte", "-labels-idx1-ubyte"})
      count += find(folder, std::string(part) + kind).has_value();
  return count;
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

std::optional<fs::path> mnist_cache() {
  const char* home = std::getenv("HOME");
  if (!home || !*home) return std::nullopt;
  return fs::path(home) / ".cache/espalier/mnist";
}

std::optional<MnistData> load_mnist(std::optional<fs::path> data) {
  const auto load_both = [](const fs::path& folder) {
    return MnistData{load(folder, "train"), load(folder, "t10k")};
  };
  // A folder that the user named: another's data would not be what was asked for.
  const char* named = std::getenv("MNIST_DIR");
  const bool by_variable = !data && named && *named;
  if (by_variable) data = named;
  if (data) {
    std::error_code failure;
    const auto status = fs::status(*data, failure);
    const std::string named_as = (by_variable ? "MNIST_DIR=" : "") + data->string();
    require(fs::is_directory(status) || held(*data) > 0, ErrorKind::kIo, named_as,
            fs::exists(status) ? "is no folder" : "there is no such folder", "; check the path",
            by_variable ? ", or unset MNIST_DIR" : "");
    require(
        held(*data) > 0, ErrorKind::kIo, named_as,
        "holds no file of MNIST (train-images-idx3-ubyte and its three companions, plain or .gz); "
        "check the path",
        by_variable ? ", or unset MNIST_DIR" : "");
    return load_both(*data);
  }
  if (const auto cache = mnist_cache(); cache && held(*cache) == 4) return load_both(*cache);
  return std::nullopt;
}

}  // namespace espalier::datasets
