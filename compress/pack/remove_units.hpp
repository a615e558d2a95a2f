// Units that do nothing leave a packed integer network: a filter or neuron whose outgoing weights
// are all zero, or whose incoming weights are all zero while its bias leaves the output at 0.
#pragma once

#include "compress/format/packed_model.hpp"

namespace espalier::pack {

// Until none is left, though every layer keeps one. The logits stay, bit for bit. Layers of other
// kinds than convolution, dense, pooling, relu and flatten end the search on both their sides.
// Errors: kUsage for float weights.
void remove_dead_units(format::PackedModel& model);

}  // namespace espalier::pack
