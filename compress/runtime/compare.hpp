// When two ways of running a model disagree.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::runtime {

// How many logits of the rows differ. `exact`, for integer models: in any bit. Else, for float
// models, whose sums may be taken in another order: by more than 1e-4 of their row's largest
// magnitude; a NaN differs. got, wanted: rows of `classes` values.
std::int64_t differing_logits(std::span<const float> got, std::span<const float> wanted,
                              std::int64_t classes, bool exact);

}  // namespace espalier::runtime
