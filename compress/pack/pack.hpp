// A trained model as the records that an .esp file stores.
#pragma once

#include "compress/format/packed_model.hpp"
#include "compress/quantize/integer_network.hpp"
#include "layers/sequential.hpp"

namespace espalier::pack {

// Float32, as trained; transforms are applied. input_shape: [H W C]. Dropout is left out.
// Errors: kUsage naming a layer that has no record.
format::PackedModel pack(Sequential& model, const Shape& input_shape);

// Integers, and floats where a layer stays in float, as settled by
// quantize::QuantizationAware::bake(). Errors: as above.
format::PackedModel pack(const quantize::IntegerNetwork& network, const Shape& input_shape);

// zlib level 9 of all parameters' bytes, one after the other: the tutorial's measure of a float
// model.
std::size_t deflate_bytes(Sequential& model);
std::size_t raw_bytes(Sequential& model);  // the same, uncompressed

}  // namespace espalier::pack
