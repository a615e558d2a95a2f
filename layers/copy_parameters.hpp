// Makes one model equal to another of the same structure.
#pragma once

#include "layers/layer.hpp"

namespace espalier {

// Copies every latent parameter and every state tensor by name. Transforms and taps are not copied.
// Errors: kUsage when names or shapes differ.
void copy_parameters(Layer& from, Layer& to);

}  // namespace espalier
