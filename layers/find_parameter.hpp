// A layer's parameter by its own name.
#pragma once

#include <string_view>

#include "layers/layer.hpp"

namespace espalier {

// "weight", "bias"; null when the layer has none of that name.
inline Parameter* find_parameter(Layer& layer, std::string_view name) {
  Parameter* found = nullptr;
  layer.visit({.parameter = [&](const std::string& own, Parameter& p) {
    if (own == name) found = &p;
  }});
  return found;
}

}  // namespace espalier
