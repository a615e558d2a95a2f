#include "datasets/in_memory.hpp"

#include <utility>

#include "core/base/clones.hpp"

namespace espalier::datasets {
namespace {

ESPALIER_CLONES void shares_of_255(const std::uint8_t* bytes, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(bytes[i]) / 255.0f;
}

}  // namespace

void check_labels(const Tensor& labels, std::int64_t images, int classes, const std::string& name) {
  require(labels.defined() && labels.dtype() == DType::kUint8 && labels.shape().rank() == 1, name,
          "wants labels of uint8, [N], got ", labels.dtype(), " ", labels.shape());
  require(classes >= 1 && classes <= 256, name, "wants 1 to 256 classes, got ", classes);
  require(images == labels.elements(), ErrorKind::kCorrupt, name, "has ", images, " images but ",
          labels.elements(), " labels");
  const auto values = labels.values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i)
    require(values[i] < classes, ErrorKind::kCorrupt, name, "label ", i, " is ", int{values[i]},
            ", wanted 0 to ", classes - 1);
}

InMemory::InMemory(Tensor images, Tensor labels, int classes, const std::string& name)
    : images_(std::move(images)), labels_(std::move(labels)), classes_(classes) {
  const Shape& shape = images_.shape();
  require(images_.defined() && images_.dtype() == DType::kUint8 &&
              (shape.rank() == 3 || shape.rank() == 4),
          name, "wants images of uint8, [N H W] or [N H W C], got ", images_.dtype(), " ", shape);
  check_labels(labels_, shape[0], classes, name);
  image_shape_ = {shape[1], shape[2], shape.rank() == 4 ? shape[3] : 1};
}

Example InMemory::get(std::int64_t i) const {
  check_index(i, size());
  Example example{Tensor::uninitialized(image_shape_), labels_.data<std::uint8_t>()[i]};
  const std::int64_t n = image_shape_.elements();
  shares_of_255(images_.data<std::uint8_t>() + i * n, n, example.image.mutable_data());
  return example;
}

}  // namespace espalier::datasets
