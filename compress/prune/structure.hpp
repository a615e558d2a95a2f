// Which weights stand and fall together. Weights are seen as outputs x positions x inputs: a kernel
// [O KH KW I] has KH KW positions, a matrix [OUT IN] one, a vector [O] one of one input. A depthwise
// kernel [C KH KW 1] has one input at each position: blocks are of `outputs` channels there, and n
// of m leaves it whole.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::prune {

// Each by itself.
struct Elements {};

// `outputs` x `inputs` at one position; at the edges what is left.
struct Blocks {
  enum class Pool { kMean, kMax };  // of the scores of its weights, the block's
  std::int64_t outputs = 1, inputs = 4;
  Pool pool = Pool::kMean;
};

// Of `of` inputs in a row, at each output and position, the `keep` of the largest scores stay (Mishra
// et al. 2021, "Accelerating sparse deep neural networks": 2 of 4). Where fewer are left at the
// end, `keep` of those; a tensor of fewer inputs than `of` stays whole.
struct NofM {
  std::int64_t keep = 2, of = 4;
};

using Structure = std::variant<Elements, Blocks, NofM>;

// Errors: kUsage for blocks below 1 x 1, or keep not in [1, of].
void check(const Structure& structure);

// The group of each weight, in the tensor's order, 0 to count - 1.
struct Grouping {
  std::vector<std::uint32_t> group;
  std::size_t count = 0;
};
Grouping groups_of(const Shape& shape, const Structure& structure);

// A group's score, from those of its weights: mean or maximum. [count]
std::vector<float> pooled(const Tensor& scores, const Grouping& grouping, Blocks::Pool pool);

}  // namespace espalier::prune
