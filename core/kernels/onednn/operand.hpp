// An operand of a primitive: how it lies with us, how the primitive wants it, and the reorder between
// the two where they differ, in layout or in precision.
#pragma once

#include <optional>

#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {

class Operand {
 public:
  static Operand input(const dnn::Desc& ours, const dnn::Desc& wanted);
  static Operand output(const dnn::Desc& ours, const dnn::Desc& given);

  const dnn::Desc& desc() const { return theirs_; }  // as the primitive takes it

  // What the primitive reads: the tensor, or what was reordered from it into `room`, which lives
  // until the primitive has run.
  const Tensor& read(const Tensor& tensor, Tensor& room) const;
  // What it writes: the tensor, or `room`, which finish() then reorders into the tensor.
  const Tensor& written(const Tensor& tensor, Tensor& room) const;
  void finish(const Tensor& tensor, const Tensor& room) const;

 private:
  explicit Operand(const dnn::Desc& theirs) : theirs_(theirs) {}
  dnn::Desc theirs_;
  std::optional<dnn::Primitive> reorder_;
};

}  // namespace espalier::kernels::onednn
