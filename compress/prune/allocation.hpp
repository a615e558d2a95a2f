// How the zeros of a model are spread over its tensors.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor/shape.hpp"

namespace espalier::prune {

// Each tensor as sparse as the schedule says.
struct Uniform {};

// Erdos-Renyi-Kernel (Evci et al. 2020, "Rigging the lottery", section 3): a tensor's density
// grows with (outputs + inputs + kernel height + width) / (outputs * inputs * height * width), so
// that large ones are sparser; all together are as sparse as the schedule says. Tensors that would
// be more than dense stay whole, and the others make up for them.
struct Erk {};

// The lowest scores of all tensors together (Han et al. 2015 prune by layer; global: Lee et al. 2019,
// "SNIP", and Blalock et al. 2020, "What is the state of neural network pruning?"). Every tensor
// keeps one group.
struct Global {};

// These sparsities, by parameter ("conv1.weight") or layer ("conv1"), where the schedule ends; in
// proportion before; the schedule's own for tensors that are not named.
struct PerLayer {
  std::map<std::string, float> sparsity;
};

using Allocation = std::variant<Uniform, Erk, Global, PerLayer>;

struct Candidate {
  std::string name;  // "conv1.weight"
  Shape shape;
  std::vector<float> scores;  // one a group
};

// How many groups of each tensor go. sparsity: the schedule's value, [0, 1); final: its last.
// Errors: kUsage for a sparsity of PerLayer outside [0, 1), and names that no candidate has.
std::vector<std::int64_t> removed_groups(const Allocation& allocation,
                                         std::span<const Candidate> candidates, double sparsity,
                                         double final);

}  // namespace espalier::prune
