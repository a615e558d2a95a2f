#include "core/kernels/conv2d_pool.hpp"

#include "core/kernels/elementwise.hpp"

namespace espalier::kernels::reference {

// Step by step. The workspace holds the index of each maximum (int32), -1 where relu cuts it off.
MaxPool2dResult conv2d_relu_max_pool2d(const Tensor& x, const Tensor& w, const Window& window,
                                       const Tensor& bias, const Window& pool) {
  MaxPool2dResult r = reference::max_pool2d(reference::conv2d(x, w, window, bias), pool);
  for (std::int64_t i = 0; i < r.y.elements(); ++i)
    if (!(r.y.data()[i] > 0)) r.workspace.mutable_data<std::int32_t>()[i] = -1;
  r.y = reference::relu(r.y);
  return r;
}

ConvPoolGradients conv2d_relu_max_pool2d_dw(const Tensor& x, const Tensor& dy,
                                            const Tensor& workspace, const Shape& w_shape,
                                            const Window& window, const Window& pool) {
  Tensor passed = dy.clone(), at = workspace.clone();
  for (std::int64_t i = 0; i < dy.elements(); ++i)
    if (at.data<std::int32_t>()[i] < 0)
      passed.mutable_data()[i] = 0, at.mutable_data<std::int32_t>()[i] = 0;
  const Tensor dconv =
      reference::max_pool2d_dx(passed, at, convolved_shape(x.shape(), w_shape, window), pool);
  return {reference::conv2d_dw(x, dconv, w_shape, window), reference::sum_to_channels(dconv)};
}

}  // namespace espalier::kernels::reference
