// How a convolution's or a pooling layer's window slides over an image, before the image's size is
// known: kernel and stride, and a rule for the padding.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "core/kernels/window.hpp"

namespace espalier {

// Height and width; one number stands for both: `.kernel = 3`, `.kernel = {5, 3}`.
struct Size2d {
  std::int64_t h = 0, w = 0;

  Size2d(std::int64_t both = 0) : h(both), w(both) {}
  Size2d(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  bool operator==(const Size2d&) const = default;
};

// Rows and columns of zeros around the image. One number stands for all four sides.
class Padding {
 public:
  Padding(std::int64_t every_side = 0)
      : top_(every_side), left_(every_side), bottom_(every_side), right_(every_side) {}
  static Padding valid() { return Padding(0); }
  // As many as make the output ceil(input / stride) large; of an odd number the bottom and the
  // right get one more (TensorFlow's "SAME"). With a stride above 1 that depends on the input.
  static Padding same();
  static Padding sides(std::int64_t top, std::int64_t left, std::int64_t bottom,
                       std::int64_t right);

  bool is_same() const { return same_; }
  std::int64_t top() const { return top_; }  // 0 where is_same()
  std::int64_t left() const { return left_; }
  std::int64_t bottom() const { return bottom_; }
  std::int64_t right() const { return right_; }
  bool operator==(const Padding&) const = default;

 private:
  bool same_ = false;
  std::int64_t top_ = 0, left_ = 0, bottom_ = 0, right_ = 0;
};

struct SlidingWindow {
  Size2d kernel, stride = 1;
  Padding padding;

  // Errors: a kernel or stride below 1; explicit padding that is negative or as large as the
  // kernel.
  void check(const char* layer) const;
  // For an image [H W C] or a batch of them [N H W C].
  kernels::Window at(const Shape& input) const;
};

std::ostream& operator<<(std::ostream& out, const Size2d& size);  // 3, or 5x3
// same, valid, 1, or 0/0/1/1 (top/left/bottom/right)
std::ostream& operator<<(std::ostream& out, const Padding& padding);
// kernel 3, stride 1, padding same
std::ostream& operator<<(std::ostream& out, const SlidingWindow& window);

}  // namespace espalier
