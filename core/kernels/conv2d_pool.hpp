// A convolution, relu and max pooling behind it as one: y = max over each window of max(0, x (*) w + bias).
// What the convolution yields is never written to memory, and its gradient, of which pooling leaves one
// number in four, is never spread out.
// x: [N H W C]   w: [O KH KW C]   bias: [O]   y, dy: [N PH PW O]   float32
// Formulas and errors: conv2d.hpp, pool2d.hpp. The workspace is as there: for the same twin's gradient.
#pragma once

#include "core/kernels/conv2d.hpp"
#include "core/kernels/pool2d.hpp"

namespace espalier::kernels {

// Of the weights and the bias; dx, should it be wanted, is conv2d_dx of max_pool2d_dx.
struct ConvPoolGradients {
  Tensor dw, dbias;
};

namespace reference {
MaxPool2dResult conv2d_relu_max_pool2d(const Tensor& x, const Tensor& w, const Window& window,
                                       const Tensor& bias, const Window& pool);
ConvPoolGradients conv2d_relu_max_pool2d_dw(const Tensor& x, const Tensor& dy,
                                            const Tensor& workspace, const Shape& w_shape,
                                            const Window& window, const Window& pool);
}  // namespace reference
namespace loops {
// Of few input channels, behind which windows of 2 x 2 tile the image: convolves_and_pools() says so.
// Patches of zeros, the background of most digits, are not multiplied: 0 times anything is 0 here.
// The workspace is that of loops::max_pool2d.
bool convolves_and_pools(const Shape& x, const Shape& w, const Window& window, const Window& pool);
MaxPool2dResult conv2d_relu_max_pool2d(const Tensor& x, const Tensor& w, const Window& window,
                                       const Tensor& bias, const Window& pool);
ConvPoolGradients conv2d_relu_max_pool2d_dw(const Tensor& x, const Tensor& dy,
                                            const Tensor& workspace, const Shape& w_shape,
                                            const Window& window, const Window& pool);
}  // namespace loops

}  // namespace espalier::kernels
