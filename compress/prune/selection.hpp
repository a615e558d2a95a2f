// Which parameters a pass works on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "layers/layer.hpp"

namespace espalier::prune {

// `name` is "conv1.weight".
using Selection = std::function<bool(const std::string& name, const Parameter& parameter)>;

// Every parameter with at least two axes: kernels and matrices, no biases and no batch norm.
Selection weights();
Selection weights_and_biases();   // and vectors named "bias"
Selection convolution_weights();  // [O KH KW I], depthwise ones too
Selection dense_weights();        // [OUT IN]

// Weights of at least so many values. A first convolution of 108 weights costs nothing in a file,
// and every activation passes through it: leave it whole.
Selection weights_from(std::int64_t values);

// The weights of these layers ("conv1") or these parameters ("conv1.weight"). A name that the model
// lacks selects nothing.
Selection named(std::vector<std::string> names);

}  // namespace espalier::prune
