// Pooling over windows, channel by channel.   x: [N H W C]   y: [N OH OW C]. float32.
// max:     y = the window's largest value (padding never wins); dx: dy goes to the first largest.
// average: y = mean of the window's values without the padding; dx: dy / count to each of them.
// Errors: kUsage, naming the shapes, when they do not fit; a window larger than its padded image.
#pragma once

#include "core/kernels/window.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::kernels {

struct MaxPool2dResult {
  Tensor y;
  // Where each maximum stood. Its content belongs to the twin that wrote it: hand it back to the
  // same twin's max_pool2d_dx.
  Tensor workspace;
};

namespace reference {
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window);
Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window);
Tensor average_pool2d(const Tensor& x, const Window& window);
Tensor average_pool2d_dx(const Tensor& dy, const Shape& x_shape, const Window& window);
}  // namespace reference
namespace onednn {
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window);
Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window);
Tensor average_pool2d(const Tensor& x, const Window& window);
Tensor average_pool2d_dx(const Tensor& dy, const Shape& x_shape, const Window& window);
}  // namespace onednn
namespace loops {
// relu_max_pool2d pools max(x, 0); max_pool2d_dx then gives the gradient of both.
// Of windows that tile the image, without padding and as large as their strides, where the
// processor has vectors that we have loops for: pools() says so.
bool pools(const Window& window);
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window);
MaxPool2dResult relu_max_pool2d(const Tensor& x, const Window& window);
Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window);
}  // namespace loops
using onednn::average_pool2d;
using onednn::average_pool2d_dx;
// Loops for windows that tile the image, oneDNN for others (choice.cpp).
MaxPool2dResult max_pool2d(const Tensor& x, const Window& window);
Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window);

}  // namespace espalier::kernels
