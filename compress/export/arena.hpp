// Where each layer's activations lie in one arena: a layer reads at one end and writes at the
// other. Relu, batch norm, flatten and residual work in place. What others than the next layer read
// lies behind both.
#pragma once

#include <vector>

#include "compress/export/network.hpp"

namespace espalier::exports {

struct Move {
  const Step* step;
  // A max pool of windows that neither overlap nor pad, done as the convolution before it writes:
  // what lies between the two is never stored.
  const Step* pool;
  // Elements from the arena's begin; `to` of logits and `other` of all but residuals: not used.
  std::int64_t from, to, other;

  const Shape& out() const { return pool ? pool->out : step->out; }
  // Works in place, but not on what others will read.
  bool copies() const;
};

struct Arena {
  std::vector<Move> moves;
  std::int64_t elements = 0;  // the image included; an integer model's logits not
  std::int64_t image = 0;     // where it lies
  std::int64_t row = 0;       // the most outputs of one row of a convolution
};

// `network` outlives the result.
Arena arena_of(const Network& network);

}  // namespace espalier::exports
