// Which layers of a model compute with integers, and which stay in float: those that the user
// names, and those that have no integer form. Floats become levels where the next layer takes
// levels, and levels become floats where it does not.
#pragma once

#include <string>
#include <vector>

#include "layers/sequential.hpp"

namespace espalier::quantize {

struct LayerForm {
  bool moves = false;    // convolution, dense, batch norm, or a layer of an unknown kind: what it
                         // yields lies on another grid; the others keep to what they take
  bool integer = false;  // takes levels
  bool output_grid = false;  // yields levels
};

// A row of the report.
struct StaysFloat {
  std::string name, layer;  // "conv1", what it says of itself
  std::string reason;
  bool asked = false;  // named by the user
};

struct LayerForms {
  std::vector<LayerForm> layers;  // as in the model
  std::vector<StaysFloat> report;
  bool input_grid = false;  // the images are rounded to levels
};

// Every layer of these names stays in float. Convolution and dense layers have an integer form; so
// have batch norm and residual in front of one; pools, relu, flatten and dropout take what comes.
// What any integer layer reads is on levels; a float layer that reads it, too, turns them back. Errors: kUsage
// for a name that no convolution, dense layer, batch norm or unknown layer has; a model without a
// convolution or dense layer.
LayerForms layer_forms(const Sequential& model, const std::vector<std::string>& float_layers = {});

}  // namespace espalier::quantize
