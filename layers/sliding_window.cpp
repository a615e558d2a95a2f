#include "layers/sliding_window.hpp"

#include <algorithm>
#include <ostream>

#include "core/base/error.hpp"

namespace espalier {
namespace {

// All padding that `same` wants along one axis; always below the kernel's size.
std::int64_t same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t out = (in + stride - 1) / stride;
  return std::max<std::int64_t>(0, (out - 1) * stride + kernel - in);
}

}  // namespace

Padding Padding::same() {
  Padding padding;
  padding.same_ = true;
  return padding;
}

Padding Padding::sides(std::int64_t top, std::int64_t left, std::int64_t bottom,
                       std::int64_t right) {
  Padding padding;
  padding.top_ = top, padding.left_ = left, padding.bottom_ = bottom, padding.right_ = right;
  return padding;
}

void SlidingWindow::check(const char* layer) const {
  require(kernel.h >= 1 && kernel.w >= 1 && stride.h >= 1 && stride.w >= 1, layer,
          "wants kernel and stride >= 1, got kernel ", kernel, ", stride ", stride);
  const auto within = [](std::int64_t pad, std::int64_t size) { return 0 <= pad && pad < size; };
  require(within(padding.top(), kernel.h) && within(padding.bottom(), kernel.h) &&
              within(padding.left(), kernel.w) && within(padding.right(), kernel.w),
          layer, "wants padding from 0 to below the kernel's size ", kernel, ", got ", padding);
}

kernels::Window SlidingWindow::at(const Shape& input) const {
  require(input.rank() == 3 || input.rank() == 4, "window", "wants an image [H W C], got ", input);
  kernels::Window window{.kernel_h = kernel.h,
                         .kernel_w = kernel.w,
                         .stride_h = stride.h,
                         .stride_w = stride.w,
                         .pad_top = padding.top(),
                         .pad_left = padding.left(),
                         .pad_bottom = padding.bottom(),
                         .pad_right = padding.right()};
  if (padding.is_same()) {
    const std::int64_t rows = same_padding(input[-3], kernel.h, stride.h);
    const std::int64_t columns = same_padding(input[-2], kernel.w, stride.w);
    window.pad_top = rows / 2, window.pad_bottom = rows - rows / 2;
    window.pad_left = columns / 2, window.pad_right = columns - columns / 2;
  }
  return window;
}

std::ostream& operator<<(std::ostream& out, const Size2d& size) {
  out << size.h;
  return size.h == size.w ? out : out << 'x' << size.w;
}

std::ostream& operator<<(std::ostream& out, const Padding& p) {
  if (p.is_same()) return out << "same";
  if (p == Padding::valid()) return out << "valid";
  if (p == Padding(p.top())) return out << p.top();
  return out << p.top() << '/' << p.left() << '/' << p.bottom() << '/' << p.right();
}

std::ostream& operator<<(std::ostream& out, const SlidingWindow& window) {
  return out << "kernel " << window.kernel << ", stride " << window.stride << ", padding "
             << window.padding;
}

}  // namespace espalier
