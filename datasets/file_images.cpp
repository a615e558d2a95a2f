#include "datasets/file_images.hpp"

#include <utility>

#include "datasets/image.hpp"
#include "datasets/in_memory.hpp"

namespace espalier::datasets {

FileImages::FileImages(Options options) : o_(std::move(options)) {
  check_labels(o_.labels, o_.stored[0], o_.classes, o_.labels_name);
  image_shape_ = bytes_of(0).shape();
}

Tensor FileImages::bytes_of(std::int64_t i) const {
  Tensor image = Tensor::uninitialized({o_.stored[1], o_.stored[2], o_.stored[3]}, DType::kUint8);
  o_.file->read(o_.offset + static_cast<std::uint64_t>(i) * image.bytes(),
                image.mutable_values<std::uint8_t>());
  return o_.prepare ? o_.prepare(image) : image;
}

Example FileImages::get(std::int64_t i) const {
  check_index(i, size());
  return {to_float(bytes_of(i)), o_.labels.data<std::uint8_t>()[i]};
}

}  // namespace espalier::datasets
