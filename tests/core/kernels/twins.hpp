// What the tests of the twins share: random tensors, magnitudes and the bound on rounding.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "core/base/rng.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

inline Tensor random(const Shape& shape, std::string_view stream) {
  Rng rng(1, stream);
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.uniform(-1, 1);
  return t;
}

// Few distinct values: many ties.
inline Tensor random_integers(const Shape& shape, std::string_view stream) {
  Rng rng(2, stream);
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = static_cast<float>(rng.below(4)) - 1;
  return t;
}

inline Tensor magnitudes(const Tensor& t) {
  Tensor result = t.clone();
  for (float& v : result.mutable_values()) v = std::abs(v);
  return result;
}

// Two sums of the same `terms` products, each in an order of its own, are each within
// terms * u * (sum of the magnitudes) of the truth (Higham 2002, section 3.1; u = epsilon / 2), so
// their difference is within terms * epsilon * magnitude. `magnitude` is the reference run on
// magnitudes. It holds element by element, for every shape, with and without fused multiply-add.
inline void check_sums(const Tensor& got, const Tensor& want, const Tensor& magnitude,
                       std::int64_t terms) {
  REQUIRE(got.shape() == want.shape());
  const float bound = static_cast<float>(terms) * std::numeric_limits<float>::epsilon();
  for (std::int64_t i = 0; i < want.elements(); ++i) {
    const float error = std::abs(got.data()[i] - want.data()[i]);
    // Written so that a NaN fails.
    if (!(error <= bound * magnitude.data()[i])) {
      CAPTURE(i);
      CAPTURE(got.data()[i]);
      CAPTURE(want.data()[i]);
      REQUIRE(error <= bound * magnitude.data()[i]);
    }
  }
}

// Every element within `tolerance`.
inline void check_near(const Tensor& got, const Tensor& want, float tolerance) {
  check_sums(got, want,
             Tensor::full(want.shape(), tolerance / std::numeric_limits<float>::epsilon()), 1);
}

inline void check_same(const Tensor& got, const Tensor& want) {
  check_near(got, want, 0);
}

}  // namespace espalier::kernels
