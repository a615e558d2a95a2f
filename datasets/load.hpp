// Any data that a path names: the one way for programs.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "datasets/csv.hpp"
#include "datasets/image_folder.hpp"

namespace espalier::datasets {

enum class DataKind { kIdx, kImageFolder, kCsv, kBuiltIn };
const char* name_of(DataKind kind);  // "IDX files", "image folder", "CSV", "built-in pictures"

// "shapes" (synthetic_shapes.hpp) and "digits" (synthetic_digits.hpp), where no file or folder has
// this name.
bool is_built_in(const std::filesystem::path& path);

// Errors: kIo; kCorrupt, saying what it is, for a file that begins as no text does: a picture, an archive.
void require_text(const std::filesystem::path& file);

struct LoadOptions {
  std::optional<ImageSize> size = {};  // pictures are resized to it; none: as they are
  bool grey = false;                   // pictures become grey; else an image folder is RGB
  CsvOptions csv = {};                 // but for the split
  SplitOptions split = {};             // where the data does not say what is for the test
  // Data of more bytes than this stays on disk (image_folder.hpp, idx_folder.hpp, csv.hpp).
  std::size_t cache_bytes = ImageFolderOptions{}.cache_bytes;
  bool first_size = false;  // image folders: see image_folder.hpp
  // Of an image folder the pictures that were read, of a CSV file the bytes.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

struct LoadedData {
  DataKind kind = DataKind::kIdx;
  TrainTest data;
  std::vector<std::string> labels;  // the classes' names; empty: "0", "1", ...
  bool split = false;               // by options.split; else the data had its own two parts
  // Image folders.
  std::vector<SkippedFile> skipped = {};
  std::vector<SizeCount> sizes = {};
  // CSV: what was taken from each feature to bring it to 0..1, and from the target (csv.hpp).
  std::vector<std::string> features = {};
  std::vector<Scaling> columns = {};
  std::optional<Scaling> target = {};
  bool header = false;     // its first row names the columns,
  std::string label_name;  // and the label
};

// A folder with IDX files of MNIST's names (idx_folder.hpp), a folder of image folders
// (image_folder.hpp), a file of comma-separated values (csv.hpp), or what is built in under the name.
// Errors: as these; kUsage for an option that the kind has no use for; kIo when there is nothing
// at the path; kCorrupt, saying what
// was found and what is wanted, for anything else.
LoadedData load_data(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace espalier::datasets
