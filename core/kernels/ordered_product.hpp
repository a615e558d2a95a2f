// y[o] = float(x[0] w[o][0] + x[1] w[o][1] + ... + b[o]), the same bits on every machine: a product
// of two float32 is exact in float64, and the sums are rounded to float64 one after the other, in
// the order of i, the bias last. Float layers between integer ones need that: what they compute is
// rounded to levels. x: [I]   w: [O I]   b: [O] or empty   y: [O].
#pragma once

#include <span>
#include <vector>

namespace espalier::kernels {

class OrderedProduct {
 public:
  // Errors: kUsage when the weights are no rows of as many outputs, or the biases not one each.
  OrderedProduct(std::span<const float> w, std::span<const float> b, std::size_t outputs);

  // Inputs that are 0 are left out: they change no sum. Allocates nothing.
  void run(std::span<const float> x, std::span<float> y);

  std::size_t inputs() const { return columns_.size() / sums_.size(); }
  std::size_t outputs() const { return sums_.size(); }

 private:
  std::vector<float> columns_;  // [I O]: the inner loop runs over outputs and vectorises
  std::vector<double> bias_, sums_;
};

// The same of a depthwise convolution's window: y[c] = float(x[0][c] w[c][0] + x[1][c] w[c][1] + ...
// + b[c]), tap after tap. x: [TAPS C]   w: [C TAPS]   b: [C] or empty   y: [C].
class OrderedDepthwise {
 public:
  // Errors: as OrderedProduct.
  OrderedDepthwise(std::span<const float> w, std::span<const float> b, std::size_t channels);

  // Allocates nothing.
  void run(std::span<const float> x, std::span<float> y);

  std::size_t inputs() const { return taps_.size(); }
  std::size_t outputs() const { return sums_.size(); }

 private:
  std::vector<float> taps_;  // [TAPS C]
  std::vector<double> bias_, sums_;
};

}  // namespace espalier::kernels
