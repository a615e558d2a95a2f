// Runs an .esp model. Knows no training code: the target links format and the lower half of core
// only.
#pragma once

#include <filesystem>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime {

// Immutable: threads may share one. Each thread runs it through a Session of its own (session.hpp).
class Model {
 public:
  // Errors: kUsage when the records do not fit together.
  explicit Model(format::PackedModel packed);
  // Takes any spelling of a model (FORMAT.md). Errors: kIo, kCorrupt, naming the file.
  static Model load(const std::filesystem::path& path);

  const format::PackedModel& packed() const { return packed_; }

  // Logits [N K] of images [N H W C] of pixels / 255, through the file's input transform: the
  // reference executor, plain and allocating, from any thread. Errors: kUsage when the images do
  // not have the model's shape.
  Tensor run(const Tensor& images) const;

  // Errors: as above.
  void check_images(const Tensor& images) const;

 private:
  Model() = default;
  format::PackedModel packed_;
};

}  // namespace espalier::runtime
