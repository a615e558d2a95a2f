#include "core/kernels/onednn/operand.hpp"

namespace espalier::kernels::onednn {

Operand Operand::input(const dnn::Desc& ours, const dnn::Desc& wanted) {
  Operand operand(wanted);
  if (ours != wanted) operand.reorder_ = dnn::Primitive::reorder(ours, wanted);
  return operand;
}

Operand Operand::output(const dnn::Desc& ours, const dnn::Desc& given) {
  Operand operand(given);
  if (ours != given) operand.reorder_ = dnn::Primitive::reorder(given, ours);
  return operand;
}

const Tensor& Operand::read(const Tensor& tensor, Tensor& room) const {
  if (!reorder_) return tensor;
  room = dnn::opaque(theirs_);
  reorder_->run({&tensor, &room});
  return room;
}

const Tensor& Operand::written(const Tensor& tensor, Tensor& room) const {
  if (!reorder_) return tensor;
  room = dnn::opaque(theirs_);
  return room;
}

void Operand::finish(const Tensor& tensor, const Tensor& room) const {
  if (reorder_) reorder_->run({&room, &tensor});
}

}  // namespace espalier::kernels::onednn
