// Pictures in folders, one folder a class: PNG, BMP and JPEG by their contents, not their names.
#pragma once

#include <compare>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"
#include "datasets/image.hpp"
#include "datasets/stratified_split.hpp"

namespace espalier::datasets {

struct ImageSize {
  std::int64_t height = 0, width = 0;  // each 1 to kMaxImageSide
  auto operator<=>(const ImageSize&) const = default;
};

struct ImageFolderOptions {
  Color color = Color::kRgb;
  // Every picture is resized to it (datasets/resize.hpp: a triangle filter, widened when it
  // shrinks; the sides each by their own factor). None: all must have the size of the first.
  std::optional<ImageSize> size = {};
  bool first_size = false;  // without a size: resize the others to the first's, for a first look
  SplitOptions split = {};  // where there are no train/ and test/
  std::size_t cache_bytes = 512u << 20;  // of decoded pixels that are kept, train and test together
  double max_unreadable = 0.05;          // share of the files; more is an error
  // Told now and then while the pictures are read: so many of so many.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

// A file that is no readable picture, and why.
struct SkippedFile {
  std::filesystem::path file;
  std::string reason;
};

struct SizeCount {
  ImageSize size;  // before it was resized
  std::int64_t count = 0;
};

struct ImageFolderData {
  TrainTest data;
  std::vector<std::string> labels;  // the class folders' names, ascending by bytes
  std::vector<SkippedFile> skipped;
  std::vector<SizeCount> sizes;  // of the pictures, the most frequent first
  bool has_parts = false;        // it held train/ and test/
};

// `folder` holds either a folder for each class, which are split by options.split, or train/ and
// test/, each with these folders (test/ may lack some). Training examples come in random order
// (options.split.seed), so that the first or last of them are a sample of all. Files and folders
// whose names begin with a
// dot are no part of it.
//
// Every picture is decoded once here, so that what cannot be read is known before training: it is
// skipped and counted. Decoded, resized pixels are kept up to cache_bytes; get() decodes the others
// anew each time, so that a data set may be larger than memory. A picture is the same either way.
// Errors, naming folder or file: kIo when the folder cannot be read; kUsage for a layout other than
// these, fewer than two classes, a class without pictures, or sizes that differ where none was
// asked for; kCorrupt when more than max_unreadable of the files of a part are unreadable;
// kInterrupted by Ctrl-C. get(): also kIo and kCorrupt when a file has changed meanwhile.
ImageFolderData load_image_folder(const std::filesystem::path& folder,
                                  const ImageFolderOptions& options = {});

// Writes train/ and test/, each with a folder a class (its label; without labels its number) of
// PNG files named by their place, "00042.png": loading it gives the same pictures where they were
// bytes. The folder appears whole, or not at all. Errors: kUsage for channels other than 1 or 3, a
// label that is no name of a folder, or labels that are not one a class; kIo; kInterrupted by Ctrl-C.
void write_image_folder(const std::filesystem::path& folder, const TrainTest& data,
                        std::vector<std::string> labels);

}  // namespace espalier::datasets
