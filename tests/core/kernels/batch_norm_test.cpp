#include "core/kernels/batch_norm.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

const Shape kShapes[] = {{64, 10},      {2, 7},        {2, 28, 28, 6},
                         {3, 5, 5, 17}, {4, 4, 4, 32}, {8, 3, 16}};
constexpr float kEpsilon = 1e-3f;

// gamma from 0.5 to 1.5: a scale that may not be swapped with a shift.
Tensor scales(std::int64_t channels) {
  Tensor gamma = random({channels}, "gamma");
  for (float& v : gamma.mutable_values()) v = 1 + v / 2;
  return gamma;
}

// The reference sums in double, oneDNN in float32: a sum of M values of size s is off by up to
// M * u * M * s, a mean by M * u * s. The mean, the variance and both gradients' sums do so, and
// 1 / sqrt(variance) passes it on, magnified by at most `gain`.
float tolerance(const Shape& shape, float gain) {
  const auto rows = static_cast<float>(shape.elements() / shape[-1]);
  return std::numeric_limits<float>::epsilon() * (rows + 8) * gain;
}

// The largest gamma / sqrt(variance + epsilon), and at least 1.
float gain_of(const Tensor& variance) {
  float gain = 1;
  for (const float v : variance.values()) gain = std::max(gain, 1.5f / std::sqrt(v + kEpsilon));
  return gain;
}

}  // namespace

TEST_CASE("batch norm: the twins agree in training, inference and backward") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape);
    const std::int64_t channels = shape[-1];
    const Tensor x = random(shape, "x"), dy = random(shape, "dy"), gamma = scales(channels),
                 beta = random({channels}, "beta");
    const auto want = reference::batch_norm_training(x, gamma, beta, kEpsilon);
    const auto got = onednn::batch_norm_training(x, gamma, beta, kEpsilon);
    const float gain = gain_of(want.variance);
    check_near(got.mean, want.mean, tolerance(shape, 1));
    check_near(got.variance, want.variance, tolerance(shape, 4));
    // The variance's error enters through the derivative of its inverse root: gain cubed.
    check_near(got.y, want.y, tolerance(shape, 4 * gain * gain * gain));

    const Tensor mean = random({channels}, "mean");
    check_near(onednn::batch_norm_inference(x, gamma, beta, mean, want.variance, kEpsilon),
               reference::batch_norm_inference(x, gamma, beta, mean, want.variance, kEpsilon),
               8 * std::numeric_limits<float>::epsilon() * 2 * gain);

    const auto want_d =
        reference::batch_norm_backward(dy, x, gamma, want.mean, want.variance, kEpsilon);
    const auto got_d =
        onednn::batch_norm_backward(dy, x, gamma, want.mean, want.variance, kEpsilon);
    // dgamma and dbeta are sums of M terms of size gain and 1; dx divides them by M again.
    const auto rows = static_cast<float>(shape.elements() / channels);
    check_near(got_d.dbeta, want_d.dbeta, tolerance(shape, rows));
    check_near(got_d.dgamma, want_d.dgamma, tolerance(shape, rows * 2 * gain));
    check_near(got_d.dx, want_d.dx, tolerance(shape, 4 * gain * gain * gain));
  }
}

TEST_CASE("batch norm: each epsilon has a primitive of its own") {
  const Tensor x = random({8, 4}, "x"), one = Tensor::full({4}, 1), zero({4});
  for (const float epsilon : {1e-5f, 1.0f})
    check_near(onednn::batch_norm_training(x, one, zero, epsilon).y,
               reference::batch_norm_training(x, one, zero, epsilon).y, 1e-4f);
}

TEST_CASE("batch norm: what does not fit is refused") {
  const Tensor x({4, 3}), ok({3}), wrong({4});
  CHECK_THROWS_AS(reference::batch_norm_training(x, ok, ok, 0), Error);
  CHECK_THROWS_AS(onednn::batch_norm_training(x, ok, ok, -1), Error);
  CHECK_THROWS_AS(reference::batch_norm_training(x, wrong, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_training(x, wrong, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_training(x, ok, wrong, kEpsilon), Error);
  CHECK_THROWS_AS(reference::batch_norm_training(x, ok, wrong, kEpsilon), Error);
  CHECK_THROWS_AS(reference::batch_norm_training(Tensor({0, 3}), ok, ok, kEpsilon), Error);
  CHECK_THROWS_AS(reference::batch_norm_inference(x, ok, ok, wrong, ok, kEpsilon), Error);
  CHECK_THROWS_AS(reference::batch_norm_backward(Tensor({3, 4}), x, ok, ok, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_training(Tensor({3}), ok, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_training(Tensor({0, 3}), ok, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_inference(x, ok, ok, wrong, ok, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_inference(x, ok, ok, ok, wrong, kEpsilon), Error);
  CHECK_THROWS_AS(onednn::batch_norm_backward(Tensor({3, 4}), x, ok, ok, ok, kEpsilon), Error);
}

}  // namespace espalier::kernels
