// How shapes' dtypes and tensors print: a few values, so that a log stays readable.
#include <ostream>

#include "core/tensor/tensor.hpp"

namespace espalier {
namespace {

template <class T>
void print_values(std::ostream& out, std::span<const T> values) {
  constexpr std::size_t kShown = 12;
  for (std::size_t i = 0; i < std::min(values.size(), kShown); ++i)
    out << (i ? " " : "") << +values[i];
  if (values.size() > kShown) out << " ... " << values.size() - kShown << " more";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, DType dtype) {
  constexpr const char* kNames[] = {"float32", "int32", "int8", "uint8"};
  return out << kNames[static_cast<int>(dtype)];
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "(no tensor)";
  out << tensor.dtype() << tensor.shape() << " {";
  switch (tensor.dtype()) {
    case DType::kFloat32:
      print_values(out, tensor.values<float>());
      break;
    case DType::kInt32:
      print_values(out, tensor.values<std::int32_t>());
      break;
    case DType::kInt8:
      print_values(out, tensor.values<std::int8_t>());
      break;
    case DType::kUint8:
      print_values(out, tensor.values<std::uint8_t>());
      break;
  }
  return out << "}";
}

}  // namespace espalier
