#include "compress/recipe/packed.hpp"

#include <algorithm>

#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/recipe/promises.hpp"

namespace espalier::recipe {
namespace {

bool all_integers(const quantize::IntegerNetwork& network) {
  return network.input &&
         std::ranges::none_of(network.layers, [](const auto& l) { return l.is_float; });
}

}  // namespace

format::PackedModel packed(Sequential& model, const quantize::IntegerNetwork* network,
                           const Shape& input_shape, const Recipe& recipe, std::size_t last) {
  format::PackedModel file =
      network ? pack::pack(*network, input_shape) : pack::pack(model, input_shape);
  for (std::size_t i = 0; i <= last; ++i) {
    const Stage& stage = recipe.stages[i];
    if (stage.rate && network && all_integers(*network)) {
      pack::remove_dead_units(file);
      pack::sort_units(file);
    }
    if (stage.float16) pack::to_float16(file, {.keep = stage.float16->keep});
    if (const auto& d = stage.dynamic_range)
      pack::to_dynamic_range(file,
                             {.bits = d->bits, .per_channel = d->per_channel, .keep = d->keep});
  }
  check_promises(file, model, recipe, last);
  return file;
}

}  // namespace espalier::recipe
