// What every fast kernel of an integer convolution or dense layer needs beside its product: how sums
// become outputs, and a copy of the input inside of a border.
#pragma once

#include <array>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "core/tensor/shape.hpp"

namespace espalier::runtime {

// sum (q_x - z_x) q_w + bias = sum q_x q_w + (bias - z_x * sum q_w): the constant joins the bias,
// which needs padding to be z_x too.
struct ChannelSums {
  std::vector<std::int32_t> bias;  // [C], with the zero point's constant
  std::vector<float> multiplier;   // [C]: to the levels of the output's grid, or to floats
};
ChannelSums channel_sums(const format::PackedLayer& layer, const format::ActivationGrid& x,
                         const format::ActivationGrid& y);

bool pads(const format::PackedLayer& layer);
// [batch H W C] with the layer's border.
Shape padded_shape(const format::PackedLayer& layer, std::int64_t batch,
                   const std::array<std::int64_t, 3>& input);
// The images [N H W C] into the middle of `padded`, whose border holds the zero point already.
void copy_inside(const std::uint8_t* images, const Shape& in, const format::PackedLayer& layer,
                 std::uint8_t* padded, const Shape& out);

}  // namespace espalier::runtime
