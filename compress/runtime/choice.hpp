// The table from which a plan takes the kernel of an integer convolution or dense layer.
#pragma once

#include <vector>

#include "compress/runtime/plan_options.hpp"
#include "compress/runtime/sparse/steps.hpp"

namespace espalier::runtime {

// Our kernels that may run these layers for an input x [N H W C], beside oneDNN's: kFixed yields the
// one whose rule promises the least time, kTimed all that this processor runs well. None: oneDNN's
// alone. Our kernels run on one thread; oneDNN's may use `threads`, which the rules take into account.
std::vector<const sparse::Kernel*> own_kernels(Kernels kernels, const sparse::Fused& layers,
                                               const Shape& x, int threads);

}  // namespace espalier::runtime
