// Loops that split large tensors among threads: the same bits for any number of them.
#include <functional>
#include <vector>

#include "core/kernels/elementwise.hpp"
#include "core/kernels/pool2d.hpp"
#include "core/onednn/isa.hpp"
#include "core/onednn/threads.hpp"
#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

void check_any_threads(const std::function<std::vector<Tensor>()>& run) {
  const std::vector<Tensor> want = run();
  for (const int n : {2, 3, 5}) {
    const ThreadsInScope scope(n);
    const std::vector<Tensor> got = run();
    for (std::size_t i = 0; i < want.size(); ++i) check_same(got[i], want[i]);
  }
}

}  // namespace

TEST_CASE("elementwise loops: any number of threads gives the same bits") {
  // Rows of few channels and of many, sizes that no number of threads divides; each is worth threads.
  for (const Shape& shape : {Shape{61, 73, 101, 3}, Shape{1213, 1031}, Shape{1, 1300003}}) {
    const Tensor a = random(shape, "a"), b = random(shape, "b"), c = random({shape[-1]}, "c");
    REQUIRE(kWorkOfByte * static_cast<double>(a.bytes()) > 8e6);
    check_any_threads([&] {
      return std::vector{loops::add(a, b),     loops::multiply(a, b), loops::relu(a),
                         loops::relu_dx(a, b), loops::add_bias(a, c), loops::sum_to_channels(a)};
    });
    check_same(loops::add_bias(a, c), reference::add_bias(a, c));
  }
}

TEST_CASE("max pooling: any number of threads gives the same bits") {
  const Window window{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  if (!loops::pools(window)) return;
  const Tensor x = random({37, 29, 30, 35}, "x");
  const Tensor dy = random(pooled_shape(x.shape(), window), "dy");
  check_any_threads([&] {
    const auto plain = loops::max_pool2d(x, window), relu = loops::relu_max_pool2d(x, window);
    return std::vector{plain.y, relu.y,
                       loops::max_pool2d_dx(dy, plain.workspace, x.shape(), window),
                       loops::max_pool2d_dx(dy, relu.workspace, x.shape(), window)};
  });
}

}  // namespace espalier::kernels
