#include "core/kernels/ordered_product.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace espalier::kernels {
namespace {

// [O I] to [I O].
std::vector<float> transposed(const char* kind, std::span<const float> w, std::span<const float> b,
                              std::size_t outputs) {
  require(outputs > 0 && w.size() % outputs == 0 && (b.empty() || b.size() == outputs), kind,
          "wants rows of weights and a bias for each of ", outputs, " outputs, got ", w.size(),
          " weights and ", b.size(), " biases");
  const std::size_t inputs = w.size() / outputs;
  std::vector<float> columns(w.size());
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i) columns[i * outputs + o] = w[o * inputs + i];
  return columns;
}

}  // namespace

OrderedProduct::OrderedProduct(std::span<const float> w, std::span<const float> b,
                               std::size_t outputs)
    : columns_(transposed("OrderedProduct", w, b, outputs)), bias_(outputs), sums_(outputs) {
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

OrderedDepthwise::OrderedDepthwise(std::span<const float> w, std::span<const float> b,
                                   std::size_t channels)
    : taps_(transposed("OrderedDepthwise", w, b, channels)), bias_(channels), sums_(channels) {
  std::copy(b.begin(), b.end(), bias_.begin());
}

void OrderedDepthwise::run(std::span<const float> x, std::span<float> y) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  const std::size_t channels = sums_.size();
  for (std::size_t begin = 0; begin < taps_.size(); begin += channels)
    for (std::size_t c = 0; c < channels; ++c)
      sums_[c] += static_cast<double>(x[begin + c]) * static_cast<double>(taps_[begin + c]);
  for (std::size_t c = 0; c < channels; ++c) y[c] = static_cast<float>(sums_[c] + bias_[c]);
}

}  // namespace espalier::kernels
