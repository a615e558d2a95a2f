// Runs an .esp model. Knows no training code: the target links format and the lower half of core
// only.
#pragma once

#include <filesystem>
#include <string_view>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::runtime {

class Session;

// Immutable: threads may share one. Each thread runs it through a Session of its own (session.hpp). One that
// was moved into a session keeps its shapes, grids and labels there, but not its weights: only that session
// runs it.
class Model {
 public:
  // Errors: kUsage when the records do not fit together.
  explicit Model(format::PackedModel packed);
  // Takes any spelling of a model (FORMAT.md). Errors: kIo, kCorrupt, naming the file.
  static Model load(const std::filesystem::path& path);

  const format::PackedModel& packed() const { return packed_; }

  // Logits [N K] of images [N H W C] of pixels / 255, through the file's input transform: the
  // reference executor, plain and allocating, from any thread. Errors: kUsage when the images do
  // not have the model's shape, or the weights are not here any more.
  Tensor run(const Tensor& images) const;

  // Errors: kUsage when the images do not have the model's shape.
  void check_images(const Tensor& images) const;
  // Errors: kUsage when the model was moved into a session (`where`: what wants them).
  void check_weights(std::string_view where) const;

 private:
  friend Session;  // lets weights go
  Model() = default;
  format::PackedModel packed_;
  bool has_weights_ = true;
};

}  // namespace espalier::runtime
