// Which passes may follow which, and ride beside which.
#pragma once

#include <string>

#include "compress/recipe/recipe.hpp"

namespace espalier::recipe {

// Errors (kCorrupt), saying why and what to do: "file: /1/prune: quantize in /0 has settled the
// integers; ...".
void check_order(const Recipe& recipe, const std::string& file);

}  // namespace espalier::recipe
