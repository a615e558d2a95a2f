// The hidden units of a packed integer network (filters, neurons) have no names: those that do
// nothing may go, and the others may stand in any order. The logits stay, bit for bit, for integer
// sums do not depend on their order. A depthwise convolution shares the units of the layer before it.
// Layers of other kinds than convolution, dense, pooling, relu and flatten, and branches, end the
// search on both
// their sides. Errors: kUsage for a layer that computes in floats.
#pragma once

#include "compress/format/packed_model.hpp"

namespace espalier::pack {

// Removes units whose outgoing weights are all zero, or whose incoming weights are all zero while
// their bias leaves the output at 0 (a depthwise kernel between counts as incoming), until none
// is left, though every layer keeps one.
void remove_dead_units(format::PackedModel& model);

// Units in the order of their nonzero weights, incoming and outgoing together, most first: weights
// that are alike stand together, and the file's coder, which looks at neighbours, spends 0 to 1 %
// less on them (compress/format/CODER.md).
void sort_units(format::PackedModel& model);

}  // namespace espalier::pack
