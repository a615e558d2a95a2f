#include "compress/runtime/model.hpp"

#include "compress/format/reader.hpp"
#include "compress/format/validate.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "core/base/file.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime {

Model::Model(format::PackedModel packed) : packed_(std::move(packed)) {
  format::validate(packed_, ErrorKind::kUsage, "Model");
}

Model Model::load(const std::filesystem::path& path) {
  return Model(format::read(read_file(path), path.string()));
}

Tensor Model::run(const Tensor& images) const {
  const auto& s = packed_.input_shape;
  require(images.shape().rank() == 4 && images.shape()[1] == s[0] && images.shape()[2] == s[1] &&
              images.shape()[3] == s[2],
          "run", "the model wants images [N ", s[0], " ", s[1], " ", s[2], "], got ",
          images.shape());
  reference::Activation x{images.clone(), packed_.input};
  for (float& v : x.values.mutable_values()) v = (v - packed_.input_mean) / packed_.input_deviation;
  if (!packed_.input.is_float()) {
    Tensor levels = Tensor::uninitialized(images.shape(), DType::kUint8);
    for (std::int64_t i = 0; i < images.elements(); ++i)
      levels.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(kernels::activation_level(
          x.values.data()[i], packed_.input.scale, packed_.input.zero_point));
    x.values = levels;
  }
  for (const auto& layer : packed_.layers) x = reference::run_layer(layer, x);
  require(x.grid.is_float(), "run", "the model ends in levels, not in logits");
  return x.values.shape().rank() == 2
             ? x.values
             : x.values.reshaped({images.shape()[0],
                                  images.shape()[0] ? x.values.elements() / images.shape()[0] : 0});
}

}  // namespace espalier::runtime
