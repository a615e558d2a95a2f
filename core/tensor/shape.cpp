#include "core/tensor/shape.hpp"

#include <algorithm>
#include <ostream>

#include "core/base/error.hpp"

namespace espalier {

Shape::Shape(std::span<const std::int64_t> sizes) {
  require(sizes.size() <= kMaxRank, "Shape", "has ", sizes.size(), " axes, more than ", kMaxRank);
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
  std::int64_t elements = 1;
  for (const std::int64_t size : sizes) {
    require(size >= 0, "Shape", "axis ", rank_, " has the negative size ", size);
    require(size == 0 || elements <= kMaxElements / size, "Shape", "has more than 2^40 elements");
    elements *= size;
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes()) product *= size;
  return product;
}

std::int64_t Shape::operator[](int axis) const {
  const int index = axis < 0 ? axis + rank_ : axis;
  require(0 <= index && index < rank_, "Shape", "axis ", axis, " is outside of ", *this);
  return sizes_[static_cast<std::size_t>(index)];
}

bool Shape::operator==(const Shape& other) const {
  return std::ranges::equal(sizes(), other.sizes());
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis ? "x" : "") << shape[axis];
  return out << ']';
}

}  // namespace espalier
