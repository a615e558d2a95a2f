// How many bits a level costs, as training sees it: minus the logarithm of its probability in a
// running histogram of one tensor's levels. The coder's contexts do better; what training needs is
// the slope.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::rate {

class LevelCode {
 public:
  // Magnitudes 0..max_level; both signs of one count as equally likely.
  explicit LevelCode(int max_level, double decay = 0.99);

  // histogram = decay * histogram + (1 - decay) * the tensor's. levels: whole numbers, clamped.
  void observe(const Tensor& levels);

  // -log2 p(magnitude), with the sign where there is one.
  double bits(int magnitude) const;
  // bits(k + 1) - bits(k): what |level| costs between two magnitudes. At least `floor_bits` from 0
  // to 1, log2((k + 1) / k) from k on: a young histogram, where 2 is as frequent as 1 and 1 as 0,
  // would let training settle in dense weights.
  std::vector<float> slopes(double floor_bits) const;
  // The sum of bits(|level|).
  double total_bits(const Tensor& levels) const;

  Tensor& state() { return share_; }  // [max_level + 1] shares, for checkpoints

 private:
  double decay_;
  double least_ = 0;  // the share of a magnitude that never came: half a count
  Tensor share_;
};

// The proximal step of a cost of slopes[k] from magnitude k to k + 1, in Adam's metric: |u| moves
// toward 0 by rate * slopes[floor |u|] / (sqrt(square) + epsilon) and stops there. A weight that
// Adam moves easily because its gradients are small is also the one that the cost takes first.
// square: Adam's running mean of squared gradients, of u's shape.
void shrink(Tensor& u, const Tensor& square, const std::vector<float>& slopes, float rate);

}  // namespace espalier::rate
