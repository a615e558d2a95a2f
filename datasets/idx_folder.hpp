// A folder of IDX files under MNIST's names, of any size, grey or RGB, with the classes' names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"
#include "datasets/image_folder.hpp"

namespace espalier::datasets {

// {train,t10k}-images-idx3-ubyte (grey, [N H W]) or -idx4-ubyte ([N H W C], C = 1 or 3), and
// {train,t10k}-labels-idx1-ubyte, each plain or with .gz; labels.txt, one class a line, is optional.

// Whether the folder holds any of these but labels.txt.
bool is_idx_folder(const std::filesystem::path& folder);

struct IdxFolderOptions {
  std::optional<ImageSize> size = {};  // resized as image_folder.hpp does
  bool grey = false;                   // RGB becomes Rec. 601's luma
  // Images of a larger file that is not gzipped stay there, and are read, and prepared, one by one when
  // they are asked for. They are the same.
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;
};

struct IdxFolderData {
  TrainTest data;
  std::vector<std::string> labels;  // empty without labels.txt
};

// Classes: as many as labels.txt has lines, else the largest label and one. Errors, naming the file:
// kIo when one is missing; kCorrupt as load_idx, when counts or sizes do not fit, and for a label
// without a line.
IdxFolderData load_idx_folder(const std::filesystem::path& folder,
                              const IdxFolderOptions& options = {});

// Writes images of 0..1 as bytes, gzipped, and labels.txt where there are labels; the folder appears
// whole, or not at all. Loading it gives the same pictures where they were bytes. Errors: kUsage for more than
// 256 classes, channels other than 1 or 3, more than kMaxIdxBytes, or a name with a line break; kIo.
void write_idx_folder(const std::filesystem::path& folder, const TrainTest& data,
                      const std::vector<std::string>& labels);

}  // namespace espalier::datasets
