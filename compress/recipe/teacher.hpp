// The network of which a stage with distill learns.
#pragma once

#include "compress/recipe/recipe.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"
#include "optim/training/loss.hpp"

namespace espalier::recipe {

// Errors: those of load_network; kCorrupt for a packed model and for the checkpoint of a run under
// way, saying what to take; kUsage, naming file and both, when it takes other images than the data's
// or knows another number of classes.
Sequential load_teacher(const Distill& distill, const datasets::Dataset& data);

// The loss with the teacher, which it keeps.
training::Loss distilled_loss(const Distill& distill, const datasets::Dataset& data);

}  // namespace espalier::recipe
