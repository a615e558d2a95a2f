#include "layers/parameter.hpp"

#include <algorithm>

namespace espalier {

Variable Parameter::effective() const {
  Variable value = latent_;
  if (settled_) return value;
  for (const auto& [name, transform] : transforms_) {
    value = transform(value);
    require(value.shape() == latent_.shape(), ErrorKind::kInternal, name,
            "turned a parameter of shape ", latent_.shape(), " into ", value.shape());
  }
  return value;
}

void Parameter::add_transform(std::string name, Transform transform) {
  require(std::ranges::none_of(transforms_, [&](const auto& t) { return t.first == name; }), name,
          "is attached to this parameter already; bake it first");
  require(!settled_, name,
          "comes to a parameter whose value a pass has settled; bake the others first");
  transforms_.emplace_back(std::move(name), std::move(transform));
}

void Parameter::remove_transform(const std::string& name) {
  const auto erased = std::erase_if(transforms_, [&](const auto& t) { return t.first == name; });
  require(erased == 1, name, "is not attached to this parameter");
  if (transforms_.empty()) settled_ = false;
}

void Parameter::settle(const Tensor& value) {
  latent_.mutable_value().copy_from(value);
  settled_ = !transforms_.empty();
}

}  // namespace espalier
