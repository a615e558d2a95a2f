// A model as one C99 file: no malloc, no library, one static arena. Integer models compute
// compress/INTEGERS.md's integers and so the runtime's logits, bit for bit; float models the same
// sums in another order.
#pragma once

#include <string>

#include "compress/format/packed_model.hpp"

namespace espalier::exports {

struct C99Options {
  // What its functions are called after: NAME_run. An identifier is made of it.
  std::string name = "model";
};

// Errors: kUsage, as network_of(), and for models of more than kMaxTextWeights weights
// (network.hpp).
std::string c99(const format::PackedModel& model, const C99Options& options = {});

}  // namespace espalier::exports
