// Labelled picture files as a dataset; image_folder.hpp finds them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "datasets/dataset.hpp"
#include "datasets/image_folder.hpp"

namespace espalier::datasets {

struct PictureFile {
  std::filesystem::path path;
  int label = 0;
};

// What the parts of one data set share while they are read.
struct Reading {
  std::optional<ImageSize> size;     // none: the first picture that can be read decides
  std::size_t cache_bytes = 0;       // that may still be kept
  std::vector<SkippedFile> skipped;  // so far
  std::map<ImageSize, std::int64_t> sizes;
};

class PictureFiles : public Dataset {
 public:
  // Reads every file once; those that cannot be read are left out. Errors: as load_image_folder.
  PictureFiles(const std::vector<PictureFile>& files, int classes,
               const ImageFolderOptions& options, Reading& reading);

  std::int64_t size() const override { return std::ssize(files_); }
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return shape_; }
  int classes() const override { return classes_; }
  std::vector<int> labels() const;

 private:
  std::vector<PictureFile> files_;
  std::vector<Tensor> cache_;  // of the first files
  int classes_;
  Color color_;
  bool resized_;  // to shape_, where a picture has another size
  Shape shape_;
};

}  // namespace espalier::datasets
