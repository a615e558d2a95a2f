#include "core/kernels/ordered_product.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace espalier::kernels {

OrderedProduct::OrderedProduct(std::span<const float> w, std::span<const float> b,
                               std::size_t outputs)
    : columns_(w.size()), bias_(outputs), sums_(outputs) {
  require(outputs > 0 && w.size() % outputs == 0 && (b.empty() || b.size() == outputs),
          "OrderedProduct", "wants rows of weights and a bias for each of ", outputs,
          " outputs, got ", w.size(), " weights and ", b.size(), " biases");
  const std::size_t inputs = w.size() / outputs;
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i) columns_[i * outputs + o] = w[o * inputs + i];
  std::copy(b.begin(), b.end(), bias_.begin());
}

void OrderedProduct::run(std::span<const float> x, std::span<float> y) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  const std::size_t outputs = sums_.size();
  const float* column = columns_.data();
  for (const float value : x) {
    if (value != 0)
      for (std::size_t o = 0; o < outputs; ++o)
        sums_[o] += static_cast<double>(value) * static_cast<double>(column[o]);
    column += outputs;
  }
  for (std::size_t o = 0; o < outputs; ++o) y[o] = static_cast<float>(sums_[o] + bias_[o]);
}

}  // namespace espalier::kernels
