// The table from which a plan takes the kernel of an integer convolution or dense layer.
#pragma once

#include <vector>

#include "compress/runtime/plan_options.hpp"
#include "compress/runtime/sparse/steps.hpp"

namespace espalier::runtime {

struct Choice {
  std::vector<const sparse::Kernel*> kernels = {};  // ours; none: oneDNN's
  // The least that a rule promises of them and of oneDNN's, in dense multiply-adds.
  double cost = 0;
};

// Our kernels that may run these layers for an input x [N H W C], beside oneDNN's: kFixed and kLean
// yield the one whose rule promises the least time, kTimed all that this processor runs well. None: oneDNN's
// alone. Our kernels run on one thread; oneDNN's may use `threads`, which the rules take into account.
// `bytes`: what they may allocate (sparse::Work::made).
Choice own_kernels(Kernels kernels, const sparse::Fused& layers, const Shape& x, int threads,
                   std::int64_t bytes);

// Whether a layer's weights are more than the second level of the cache holds: a megabyte.
bool leaves_cache(const format::PackedLayer& linear);

// The share of inputs that are not 0 up to which multiplying these alone (sparse/active_step.hpp) takes less
// time than what costs `cost`.
double most_active(const sparse::Fused& layers, const Shape& x, double cost);

// Packed weights may be 16 times as large as stored ones, and images may be huge; a file must not ask
// for more than this, neither by one layer nor by many.
inline constexpr std::int64_t kMostOfLayer = std::int64_t{1} << 26,
                              kMostOfPlan = std::int64_t{1} << 28;

}  // namespace espalier::runtime
