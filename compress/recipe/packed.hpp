// The file of a model that a recipe trained.
#pragma once

#include <optional>

#include "compress/format/packed_model.hpp"
#include "compress/quantize/integer_network.hpp"
#include "compress/recipe/recipe.hpp"
#include "layers/sequential.hpp"

namespace espalier::recipe {

// As pack::pack: the integers where there are some, else the model in float. After rate, units that
// say nothing go, and the others are sorted (pack/hidden_units.hpp), unless a layer stays in float.
// Then the types that stages 0 to `last` give to stored weights. input_shape: [H W C]. Errors: those of
// pack, pack/weight_types.hpp and check_promises().
format::PackedModel packed(Sequential& model, const quantize::IntegerNetwork* network,
                           const Shape& input_shape, const Recipe& recipe, std::size_t last);

}  // namespace espalier::recipe
