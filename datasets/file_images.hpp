// Images of bytes that stay in their file: read when they are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/open_file.hpp"
#include "datasets/dataset.hpp"

namespace espalier::datasets {

class FileImages : public Dataset {
 public:
  struct Options {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t offset = 0;  // of the first image's first byte
    Shape stored;              // [N H W C], uint8
    Tensor labels;             // uint8 [N]
    int classes = 1;
    std::string labels_name;  // for errors
    // What becomes of an image before it is seen, uint8 [H W C] to [H W C]; empty: nothing.
    std::function<Tensor(const Tensor&)> prepare = {};
  };
  // Errors: as InMemory's; those of the file.
  explicit FileImages(Options options);

  std::int64_t size() const override { return o_.stored[0]; }
  Example get(std::int64_t i) const override;  // image = byte / 255. Errors: kIo
  Shape image_shape() const override { return image_shape_; }
  int classes() const override { return o_.classes; }

 private:
  Tensor bytes_of(std::int64_t i) const;

  Options o_;
  Shape image_shape_;
};

}  // namespace espalier::datasets
