// An operand of a primitive: how it lies with us, how the primitive wants it, and the reorder between
// the two where they differ, in layout or in precision.
#pragma once

#include <optional>

#include "core/onednn/onednn.hpp"

namespace espalier::kernels::onednn {

class Operand {
 public:
  // `argument`: DNNL_ARG_SRC and so on.
  static Operand input(int argument, const dnn::Desc& ours, const dnn::Desc& wanted);
  static Operand output(int argument, const dnn::Desc& ours, const dnn::Desc& given);

  // Names the tensor's memory among the arguments; `room` keeps what was reordered, and lives until
  // the primitive has run.
  void bind_input(const Tensor& tensor, Tensor& room, dnn::Arguments& arguments) const;
  void bind_output(Tensor& tensor, Tensor& room, dnn::Arguments& arguments) const;
  // After the primitive has run: from `room` into the tensor.
  void finish(Tensor& tensor, Tensor& room) const;

 private:
  Operand(int argument, dnn::Desc ours, dnn::Desc theirs)
      : argument_(argument), ours_(std::move(ours)), theirs_(std::move(theirs)) {}
  int argument_;
  dnn::Desc ours_, theirs_;
  std::optional<dnn::Primitive> reorder_;
};

}  // namespace espalier::kernels::onednn
