#include "compress/runtime/model.hpp"

#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/validate.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/file.hpp"
#include "core/base/pages.hpp"

namespace espalier::runtime {

Model::Model(format::PackedModel packed) : packed_(std::move(packed)) {
  format::validate(packed_, ErrorKind::kUsage, "Model");
  stages(packed_);
}

Model Model::load(const std::filesystem::path& path) {
  Model model;
  Bytes file = read_file(path, format::kMaxFileBytes);
  std::size_t released = 0;
  const auto release = [&](std::size_t bytes) {
    constexpr std::size_t kAtOnce = 1 << 16;
    if (bytes - released >= kAtOnce)
      released += release_pages(file.data() + released, bytes - released);
  };
  model.packed_ = format::read(file, path.string(), {.canonical = false, .on_read = release});
  stages(model.packed_, ErrorKind::kCorrupt, path.string());
  return model;
}

void Model::check_images(const Tensor& images) const {
  const auto& s = packed_.input_shape;
  require(images.shape().rank() == 4 && images.shape()[1] == s[0] && images.shape()[2] == s[1] &&
              images.shape()[3] == s[2],
          "run", "the model wants images [N ", s[0], " ", s[1], " ", s[2], "], got ",
          images.shape());
}

void Model::check_weights(std::string_view where) const {
  const bool here = has_weights_ && !packed_.layers.empty();
  require(here, where,
          "the model's weights went to the session that it was moved into; run that session, or "
          "load the model once more");
}

Tensor Model::run(const Tensor& images) const {
  check_weights("run");
  check_images(images);
  const reference::Activation x = reference::run_layers(packed_, images);
  const Shape s = x.values.shape();
  return x.values.reshaped({s[0], s[1] * s[2] * s[3]});
}

}  // namespace espalier::runtime
