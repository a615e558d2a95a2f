// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, per channel (the innermost axis)
// (Ioffe & Szegedy 2015). x, y: [... C]   gamma, beta, mean, variance: [C]. float32.
// Training: mean and (biased) variance are the batch's and are returned. Inference: they are given.
// Errors: kUsage, naming the shapes, when they do not fit, or unless epsilon > 0.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

struct BatchNormResult {
  Tensor y, mean, variance;
};
struct BatchNormGradients {
  Tensor dx, dgamma, dbeta;
};

namespace reference {
BatchNormResult batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                    float epsilon);
Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& mean, const Tensor& variance, float epsilon);
BatchNormGradients batch_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                       const Tensor& mean, const Tensor& variance, float epsilon);
}  // namespace reference
namespace onednn {
BatchNormResult batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                    float epsilon);
Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& mean, const Tensor& variance, float epsilon);
BatchNormGradients batch_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                       const Tensor& mean, const Tensor& variance, float epsilon);
}  // namespace onednn
using onednn::batch_norm_backward;
using onednn::batch_norm_inference;
using onednn::batch_norm_training;

}  // namespace espalier::kernels
