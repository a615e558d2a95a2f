// What models answer to all images of a data set, and whether two answers are the same.
#pragma once

#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "core/tensor/tensor.hpp"
#include "datasets/dataset.hpp"
#include "optim/training/evaluate.hpp"

namespace espalier::tests {

// [N H W C]
inline Tensor images(const datasets::Dataset& data) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return datasets::collate(data, all).images;
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}
inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && same_bits(a.values(), b.values());
}

// Of how many images both logits choose the same class.
inline int agreeing(const Tensor& a, const Tensor& b) {
  const auto x = training::predictions(a), y = training::predictions(b);
  int agree = 0;
  for (std::size_t i = 0; i < x.size(); ++i) agree += x[i] == y[i];
  return agree;
}

}  // namespace espalier::tests
