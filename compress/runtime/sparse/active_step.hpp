// An integer convolution or dense layer whose inputs are looked at first: where many of them are 0 the others
// alone are multiplied (active.hpp), else all.
#pragma once

#include "compress/runtime/sparse/steps.hpp"

namespace espalier::runtime::sparse {

// Whether zeros are to be expected: levels behind relu, or pixels from 0 up.
bool may_be_active(const Fused& layers, const Activation& x);

// Windows of a run, before they are pooled: outputs of the linear layer.
std::int64_t windows_of_run(const Fused& layers, const Shape& x);
// What it takes where no input is 0.
Work active_work(const Fused& layers, const Shape& x);

// `otherwise`, if there is one, where more than the share `most` of the inputs are not 0. `taken`: the linear
// layer's own levels, if nobody else reads them: empty afterwards. Errors: kUsage when the layer is too large
// for the kernel's offsets.
Step active_step(const Fused& layers, const Activation& x, const Activation& y, double most,
                 Step otherwise, std::vector<std::int8_t>* taken = nullptr);

}  // namespace espalier::runtime::sparse
