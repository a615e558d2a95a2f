// What every packed model keeps: limits, shapes that chain, default values in fields without use.
#pragma once

#include <string>
#include <string_view>

#include "compress/format/packed_model.hpp"
#include "core/base/error.hpp"

namespace espalier::format {

// The shape [H W C] after `layer`, whose window and `channels` (convolution and dense) are set.
// Errors: `kind`, naming `where`.
std::array<std::int64_t, 3> output_shape(const PackedLayer& layer, std::int64_t channels,
                                         std::array<std::int64_t, 3> input, ErrorKind kind,
                                         std::string_view where);
// How errors call layers[index]: "layer 'conv1'", or "layer 3" (from 1) if it has no name.
std::string title_of(const PackedLayer& layer, std::size_t index);
// Padding is less than the kernel: asked of what is run or exported, not of what is stored.
// Errors: `kind`, naming `where` and the layer by its title.
void check_padding(const PackedLayer& layer, std::string_view title, ErrorKind kind,
                   std::string_view where);
// Every rule of FORMAT.md's limits. Errors: `kind`, naming `where`, the layer and the value.
void validate(const PackedModel& model, ErrorKind kind, std::string_view where);

}  // namespace espalier::format
