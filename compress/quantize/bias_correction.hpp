// Rounding shifts what a layer puts out on average; biases take it back (Nagel et al. 2019,
// "Data-free quantization through weight equalization and bias correction", section 4.2 and
// appendix D: the empirical form, from calibration images).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::quantize {

// Means of the outputs of the model's layers [number of layers][channels], over `images` of the data.
using Means = std::vector<std::vector<double>>;
Means output_means(const Sequential& model, const datasets::Dataset& data, std::int64_t images,
                   const std::function<Variable(const Variable&)>& input);

// Layer by layer, of those with a bias (convolution and dense): b -= E[rounded output] - E[float
// output], where every layer before is corrected already. The model computes rounded; `floats` are
// its means before. input: what is done to images first.
void correct_biases(const Sequential& model, const Means& floats, const datasets::Dataset& data,
                    std::int64_t images, const std::function<Variable(const Variable&)>& input);

}  // namespace espalier::quantize
