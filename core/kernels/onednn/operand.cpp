#include "core/kernels/onednn/operand.hpp"

namespace espalier::kernels::onednn {

Operand Operand::input(int argument, const dnn::Desc& ours, const dnn::Desc& wanted) {
  Operand operand(argument, ours, wanted);
  if (ours != wanted) operand.reorder_ = dnn::Primitive::reorder(ours, wanted);
  return operand;
}

Operand Operand::output(int argument, const dnn::Desc& ours, const dnn::Desc& given) {
  Operand operand(argument, ours, given);
  if (ours != given) operand.reorder_ = dnn::Primitive::reorder(given, ours);
  return operand;
}

void Operand::bind_input(const Tensor& tensor, Tensor& room, dnn::Arguments& arguments) const {
  auto memory = dnn::input(tensor, ours_);
  if (reorder_) {
    room = dnn::opaque(theirs_);
    const auto target = dnn::opaque_memory(room, theirs_);
    reorder_->run({{DNNL_ARG_FROM, memory}, {DNNL_ARG_TO, target}});
    memory = target;
  }
  arguments.emplace(argument_, memory);
}

void Operand::bind_output(Tensor& tensor, Tensor& room, dnn::Arguments& arguments) const {
  if (!reorder_) {
    arguments.emplace(argument_, dnn::output(tensor, ours_));
    return;
  }
  room = dnn::opaque(theirs_);
  arguments.emplace(argument_, dnn::opaque_memory(room, theirs_));
}

void Operand::finish(Tensor& tensor, Tensor& room) const {
  if (reorder_)
    reorder_->run({{DNNL_ARG_FROM, dnn::opaque_memory(room, theirs_)},
                   {DNNL_ARG_TO, dnn::output(tensor, ours_)}});
}

}  // namespace espalier::kernels::onednn
