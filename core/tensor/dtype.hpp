// What one element of a tensor is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

namespace espalier {

enum class DType : std::uint8_t { kFloat32, kInt32, kInt8, kUint8 };

constexpr std::size_t size_bytes(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kInt32 ? 4 : 1;
}

template <class T>
inline constexpr DType dtype_of = T::unsupported_element_type;
template <>
inline constexpr DType dtype_of<float> = DType::kFloat32;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::kInt32;
template <>
inline constexpr DType dtype_of<std::int8_t> = DType::kInt8;
template <>
inline constexpr DType dtype_of<std::uint8_t> = DType::kUint8;

std::ostream& operator<<(std::ostream& out, DType dtype);  // float32, int32, int8, uint8

}  // namespace espalier
