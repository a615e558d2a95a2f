#include "core/tensor/tensor.hpp"

#include <algorithm>
#include <cstring>

namespace espalier {

Tensor Tensor::uninitialized(Shape shape, DType dtype) {
  Tensor tensor;
  tensor.shape_ = shape;
  tensor.elements_ = shape.elements();
  tensor.dtype_ = dtype;
  tensor.buffer_ = Buffer::allocate(tensor.bytes());
  return tensor;
}

Tensor::Tensor(Shape shape, DType dtype) : Tensor(uninitialized(shape, dtype)) {
  if (bytes() > 0) std::memset(buffer_->data(), 0, bytes());
}

Tensor Tensor::full(Shape shape, float value) {
  Tensor tensor = uninitialized(shape);
  tensor.fill(value);
  return tensor;
}

float Tensor::item() const {
  require(elements_ == 1, "Tensor::item", "wants one element, has ", shape_);
  return data()[0];
}

Tensor Tensor::reshaped(Shape shape) const {
  require(shape.elements() == elements_, "reshape", shape_, " has ", elements_, " elements, ",
          shape, " has ", shape.elements());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  return tensor;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor tensor = uninitialized(shape_, dtype_);
  tensor.copy_from(*this);
  return tensor;
}

void Tensor::fill(float value) {
  std::ranges::fill(mutable_values(), value);
}

void Tensor::copy_from(const Tensor& other) {
  require(shape_ == other.shape_ && dtype_ == other.dtype_, "Tensor::copy_from", "wants ", dtype_,
          " ", shape_, ", got ", other.dtype_, " ", other.shape_);
  if (bytes() > 0) std::memcpy(buffer_->data(), other.buffer_->data(), bytes());
}

}  // namespace espalier
