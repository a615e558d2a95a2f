#include "datasets/load.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include "datasets/gzip.hpp"
#include "datasets/idx_folder.hpp"
#include "datasets/jpeg_decode.hpp"
#include "datasets/synthetic_digits.hpp"
#include "datasets/synthetic_shapes.hpp"

namespace espalier::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWanted =
    "; wanted is a folder with a folder of pictures for each class (or train/ and test/ that hold "
    "these), a folder with IDX files of MNIST's names, a CSV file, or a built-in name: shapes, "
    "digits";

// What a file of another kind is, by its first bytes; "" if it may be text.
std::string kind_of(const fs::path& file) {
  std::string start(4096, '\0');
  std::ifstream in(file, std::ios::binary);
  require(in.is_open(), ErrorKind::kIo, file.string(), "cannot be opened");
  in.read(start.data(), std::ssize(start));
  start.resize(static_cast<std::size_t>(in.gcount()));
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(start.data()), start.size());
  if (is_jpeg(bytes) || start.starts_with("\x89PNG") || start.starts_with("GIF8"))
    return "is a single picture";
  if (is_gzip(bytes)) return "is a gzip file (of MNIST's name the folder that holds it)";
  if (start.starts_with("PK\x03\x04")) return "is a zip archive; unpack it";
  if (start.starts_with("PAR1")) return "is a Parquet file; export it as CSV";
  if (start.size() > 4 && start.substr(0, 3) == std::string_view("\0\0\x08", 3))
    return "is a single IDX file; name the folder that holds all four";
  const auto letter = start.find_first_not_of(" \t\r\n");
  if (letter != std::string::npos && (start[letter] == '{' || start[letter] == '['))
    return "is a JSON file";
  return start.find('\0') == std::string::npos ? ""
                                               : "is a binary file of no kind that is known here";
}

void refuse_image_options(const LoadOptions& options, const fs::path& path) {
  require(!options.size && !options.grey, path.string(),
          "is a CSV file, which holds no pictures: leave out size and grey");
}

LoadedData built_in(const fs::path& name, const LoadOptions& options) {
  require(!options.size && !options.grey && options.csv.label.empty() && !options.csv.regression,
          name.string(),
          "is built in, its pictures are as they are: leave out size, grey and label");
  LoadedData result;
  result.kind = DataKind::kBuiltIn;
  result.data = name == "shapes" ? synthetic_shapes() : synthetic_digits();
  if (name == "shapes") result.labels = shape_names();
  return result;
}

}  // namespace

void require_text(const fs::path& file) {
  const std::string other = kind_of(file);
  require(other.empty(), ErrorKind::kCorrupt, file.string(), other, "; wanted is a CSV file");
}

const char* name_of(DataKind kind) {
  switch (kind) {
    case DataKind::kIdx:
      return "IDX files";
    case DataKind::kImageFolder:
      return "image folder";
    case DataKind::kCsv:
      return "CSV";
    case DataKind::kBuiltIn:
      return "built-in pictures";
  }
  return "";
}

bool is_built_in(const fs::path& path) {
  std::error_code failure;
  return (path == "shapes" || path == "digits") && !fs::exists(path, failure);
}

LoadedData load_data(const fs::path& path, const LoadOptions& options) {
  if (is_built_in(path)) return built_in(path, options);
  std::error_code failure;
  const auto status = fs::status(path, failure);
  require(fs::exists(status), ErrorKind::kIo, path.string(), "there is no such file or folder",
          kWanted);
  LoadedData result;
  if (fs::is_regular_file(status)) {
    const std::string other = kind_of(path);
    require(other.empty(), ErrorKind::kCorrupt, path.string(), other, kWanted);
    refuse_image_options(options, path);
    CsvOptions reading = options.csv;
    reading.split = options.split;
    reading.memory_bytes = options.cache_bytes;
    reading.progress = options.progress;
    CsvData csv = load_csv(path, reading);
    result.kind = DataKind::kCsv;
    result.data = csv.data;
    result.labels = std::move(csv.labels);
    result.split = true;
    result.features = std::move(csv.features);
    result.columns = std::move(csv.columns);
    result.target = csv.target;
    result.header = csv.header;
    result.label_name = std::move(csv.label_name);
    return result;
  }
  require(fs::is_directory(status), ErrorKind::kCorrupt, path.string(), "is no file and no folder",
          kWanted);
  require(options.csv.label.empty() && !options.csv.regression, path.string(),
          "is a folder: its classes need no label column; leave label and regression out");
  if (is_idx_folder(path)) {
    IdxFolderData idx = load_idx_folder(
        path, {.size = options.size, .grey = options.grey, .memory_bytes = options.cache_bytes});
    result.data = idx.data;
    result.labels = std::move(idx.labels);
    return result;
  }
  const bool folders = std::any_of(fs::directory_iterator(path), fs::directory_iterator(),
                                   [](const auto& entry) { return entry.is_directory(); });
  require(folders, ErrorKind::kCorrupt, path.string(), "is a folder without folders and IDX files",
          kWanted);
  ImageFolderData images =
      load_image_folder(path, {.color = options.grey ? Color::kGrey : Color::kRgb,
                               .size = options.size,
                               .first_size = options.first_size,
                               .split = options.split,
                               .cache_bytes = options.cache_bytes,
                               .progress = options.progress});
  result.kind = DataKind::kImageFolder;
  result.data = images.data;
  result.labels = std::move(images.labels);
  result.split = !images.has_parts;
  result.skipped = std::move(images.skipped);
  result.sizes = std::move(images.sizes);
  return result;
}

}  // namespace espalier::datasets
