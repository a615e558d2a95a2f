#include "layers/copy_parameters.hpp"

#include <map>

namespace espalier {

void copy_parameters(Layer& from, Layer& to) {
  std::map<std::string, Tensor> source;
  from.visit({.parameter = [&](const std::string& name,
                               Parameter& p) { source[name] = p.latent().value(); },
              .state = [&](const std::string& name, Tensor& t) { source[name] = t; }});
  const auto take = [&](const std::string& name, Tensor& target) {
    const auto found = source.extract(name);
    require(!found.empty(), "copy_parameters", "the source has no ", name);
    target.copy_from(found.mapped());
  };
  to.visit({.parameter = [&](const std::string& name,
                             Parameter& p) { take(name, p.latent().mutable_value()); },
            .state = take});
  require(source.empty(), "copy_parameters", "the target has no ",
          source.empty() ? std::string() : source.begin()->first);
}

}  // namespace espalier
