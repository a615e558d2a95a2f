// The layers of an exported C99 file: their arrays and records, and run()'s calls.
#pragma once

#include <set>
#include <string>

#include "compress/export/arena.hpp"

namespace espalier::exports {

struct C99Layers {
  std::string data, calls, summary;  // declarations; run()'s lines; a comment's lines
  std::set<format::LayerKind> uses;
  std::int64_t flash_bytes = 0;  // of the arrays; the code and the records come on top
  // Of layers of levels: whether some hold their weights as they are, some packed
  // (weight_bits.hpp); all biases fit 16 bits; a convolution yields the logits.
  bool plain = false, packed = false, small_bias = true, conv_logits = false;
  bool table = false;  // rows of a table are taken, not pixels
};

C99Layers c99_layers(const Network& network, const Arena& arena);

}  // namespace espalier::exports
