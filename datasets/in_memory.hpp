// Images and labels held as bytes, a quarter of what floats would take.
#pragma once

#include <string>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

// Errors, naming `name` (a file, say): kCorrupt unless there are as many labels as images, each below
// `classes`; kUsage unless labels are uint8 [N], and classes 1 to 256.
void check_labels(const Tensor& labels, std::int64_t images, int classes, const std::string& name);

class InMemory : public Dataset {
 public:
  // images: uint8 [N H W] (C is 1) or [N H W C]; labels: uint8 [N]. Errors: kUsage when the images'
  // type or axes are others; as check_labels.
  InMemory(Tensor images, Tensor labels, int classes, const std::string& name = "InMemory");

  std::int64_t size() const override { return labels_.elements(); }
  Example get(std::int64_t i) const override;  // image = byte / 255
  Shape image_shape() const override { return image_shape_; }
  int classes() const override { return classes_; }

 private:
  Tensor images_, labels_;
  Shape image_shape_;
  int classes_;
};

}  // namespace espalier::datasets
