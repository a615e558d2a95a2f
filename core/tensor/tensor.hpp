// A dense, row-major array. A Tensor is a handle: copies share the same memory (as in PyTorch or
// MLX); clone() makes an independent one. Activations are [N H W C], convolution weights [O H W I],
// dense weights [OUT x IN].
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>

#include "core/base/error.hpp"
#include "core/tensor/buffer.hpp"
#include "core/tensor/dtype.hpp"
#include "core/tensor/shape.hpp"

namespace espalier {

class Tensor {
 public:
  Tensor() = default;  // no tensor: defined() is false
  // Zero-filled.
  explicit Tensor(Shape shape, DType dtype = DType::kFloat32);
  static Tensor uninitialized(Shape shape, DType dtype = DType::kFloat32);
  static Tensor full(Shape shape, float value);
  // Copies the values; their number must be the shape's.
  template <class T>
  static Tensor from(Shape shape, std::span<const T> values);
  static Tensor from(Shape shape, std::initializer_list<float> values) {
    return from<float>(shape, std::span(values.begin(), values.size()));
  }

  bool defined() const { return buffer_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  std::int64_t elements() const { return elements_; }
  std::size_t bytes() const { return static_cast<std::size_t>(elements_) * size_bytes(dtype_); }

  // The elements in row-major order. Errors: T is not the tensor's dtype.
  template <class T = float>
  std::span<const T> values() const {
    return {typed<T>(), static_cast<std::size_t>(elements_)};
  }
  // Every tensor that shares this memory sees what is written.
  template <class T = float>
  std::span<T> mutable_values() {
    return {typed<T>(), static_cast<std::size_t>(elements_)};
  }
  template <class T = float>
  const T* data() const {
    return typed<T>();
  }
  template <class T = float>
  T* mutable_data() {
    return typed<T>();
  }

  // The only element. Errors: there are more.
  float item() const;

  Tensor reshaped(Shape shape) const;  // shares the memory
  Tensor clone() const;
  void fill(float value);
  // Copies the other's values into this memory. Errors: shape or dtype differ.
  void copy_from(const Tensor& other);
  bool shared() const { return buffer_.use_count() > 1; }  // another Tensor has this memory too
  bool shares_memory_with(const Tensor& other) const { return buffer_ && buffer_ == other.buffer_; }

 private:
  template <class T>
  T* typed() const {
    require(buffer_ != nullptr, "Tensor", "is read before it was given a shape");
    require(dtype_of<T> == dtype_, "Tensor", "holds ", dtype_, " but is read as ", dtype_of<T>);
    return static_cast<T*>(buffer_->data());
  }

  std::shared_ptr<Buffer> buffer_;
  Shape shape_;
  std::int64_t elements_ = 0;
  DType dtype_ = DType::kFloat32;
};

template <class T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor = uninitialized(shape, dtype_of<T>);
  require(static_cast<std::int64_t>(values.size()) == tensor.elements(), "Tensor", shape, " wants ",
          tensor.elements(), " values, got ", values.size());
  std::copy(values.begin(), values.end(), tensor.mutable_data<T>());
  return tensor;
}

// Shape and, for small tensors, values; for large ones the first few.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace espalier
