// What stages have made, and later ones must keep.
#pragma once

#include "compress/format/packed_model.hpp"
#include "compress/quantize/integer_network.hpp"
#include "compress/recipe/recipe.hpp"
#include "layers/sequential.hpp"

namespace espalier::recipe {

// After stage `index` was baked. Errors: kInternal when a tensor (a channel) that was clustered, in
// this stage or before, holds more values than clusters, in the model or as levels of `network`
// (null: none); when levels have fewer zeros than the weights that they were made of. The zeros of
// the weights themselves are KeepZeros' to check.
void check_promises(Sequential& model, const quantize::IntegerNetwork* network,
                    const Recipe& recipe, std::size_t index);

// The same of the file's layers, which are named as the model's.
void check_promises(const format::PackedModel& file, Sequential& model, const Recipe& recipe,
                    std::size_t index);

}  // namespace espalier::recipe
