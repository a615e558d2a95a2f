#include "core/kernels/batch_norm.hpp"

#include <cmath>

#include "core/kernels/checks.hpp"

namespace espalier::kernels::reference {

BatchNormResult batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                    float epsilon) {
  const std::int64_t channels = batch_norm_channels(x, {&gamma, &beta}, epsilon),
                     rows = x.elements() / channels;
  Tensor mean({channels}), variance({channels});
  for (std::int64_t c = 0; c < channels; ++c) {
    double sum = 0, square = 0;
    for (std::int64_t r = 0; r < rows; ++r) sum += x.data()[r * channels + c];
    const double m = sum / static_cast<double>(rows);
    for (std::int64_t r = 0; r < rows; ++r) square += std::pow(x.data()[r * channels + c] - m, 2);
    mean.mutable_data()[c] = static_cast<float>(m);
    variance.mutable_data()[c] = static_cast<float>(square / static_cast<double>(rows));
  }
  return {batch_norm_inference(x, gamma, beta, mean, variance, epsilon), mean, variance};
}

Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& mean, const Tensor& variance, float epsilon) {
  const std::int64_t channels = batch_norm_channels(x, {&gamma, &beta, &mean, &variance}, epsilon);
  Tensor y(x.shape());
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const std::int64_t c = i % channels;
    const float deviation = std::sqrt(variance.data()[c] + epsilon);
    y.mutable_data()[i] =
        gamma.data()[c] * (x.data()[i] - mean.data()[c]) / deviation + beta.data()[c];
  }
  return y;
}

// With x^ = (x - mean) / sqrt(variance + epsilon) over the M values of a channel:
//   dbeta  = sum dy
//   dgamma = sum dy x^
//   dx     = gamma / sqrt(variance + epsilon) (dy - dbeta / M - x^ dgamma / M)
BatchNormGradients batch_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                       const Tensor& mean, const Tensor& variance, float epsilon) {
  require(dy.shape() == x.shape(), "batch_norm", "gradient ", dy.shape(), " does not fit input ",
          x.shape());
  const std::int64_t channels = batch_norm_channels(x, {&gamma, &mean, &variance}, epsilon),
                     rows = x.elements() / channels;
  BatchNormGradients grads{Tensor(x.shape()), Tensor({channels}), Tensor({channels})};
  for (std::int64_t c = 0; c < channels; ++c) {
    const double inverse = 1 / std::sqrt(double{variance.data()[c]} + epsilon);
    const auto normalized = [&](std::int64_t i) {
      return (x.data()[i] - mean.data()[c]) * inverse;
    };
    double dgamma = 0, dbeta = 0;
    for (std::int64_t i = c; i < x.elements(); i += channels) {
      dgamma += dy.data()[i] * normalized(i);
      dbeta += dy.data()[i];
    }
    const auto m = static_cast<double>(rows);
    for (std::int64_t i = c; i < x.elements(); i += channels)
      grads.dx.mutable_data()[i] = static_cast<float>(
          gamma.data()[c] * inverse * (dy.data()[i] - dbeta / m - normalized(i) * dgamma / m));
    grads.dgamma.mutable_data()[c] = static_cast<float>(dgamma);
    grads.dbeta.mutable_data()[c] = static_cast<float>(dbeta);
  }
  return grads;
}

}  // namespace espalier::kernels::reference
