// Runs an .esp model. Knows no training code: the target links format and the lower half of core
// only.
#pragma once

#include <filesystem>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime {

// Immutable: threads may share one.
class Model {
 public:
  explicit Model(
      format::PackedModel packed);  // errors: kUsage when the records do not fit together
  static Model load(const std::filesystem::path& path);  // errors: kIo, kCorrupt, naming the file

  const format::PackedModel& packed() const { return packed_; }

  // Logits [N K] of images [N H W C] of pixels / 255, through the file's input transform. Integers
  // by compress/INTEGERS.md, the plain way; float layers by the float kernels. Errors: kUsage when
  // the images do not have the model's shape.
  Tensor run(const Tensor& images) const;

 private:
  format::PackedModel packed_;
};

}  // namespace espalier::runtime
