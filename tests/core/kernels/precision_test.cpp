#include "core/kernels/precision.hpp"

#include <vector>

#include "core/kernels/conv2d.hpp"
#include "core/kernels/depthwise_conv2d.hpp"
#include "core/kernels/gemm.hpp"
#include "core/onednn/threads.hpp"
#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

// Rounding both factors to 8 bits errs by at most 2^-8 each of their product.
constexpr std::int64_t kTerms = 1 << 16;  // of float32's epsilon, 2^-23: 2^-7

bool same(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values(), b.values());
}

}  // namespace

TEST_CASE("precision: bf16 rounds the factors, and nothing else") {
  if (!has_bf16()) return;
  const Window window{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1};
  const Shape x_shape{2, 9, 8, 20}, w_shape{18, 3, 3, 20};
  const Shape y_shape = convolved_shape(x_shape, w_shape, window);
  const Tensor x = random(x_shape, "x"), w = random(w_shape, "w"), dy = random(y_shape, "dy"),
               bias = random({18}, "bias");
  const Tensor exact = onednn::conv2d(x, w, window, bias);
  const PrecisionInScope scope(Precision::kBf16);
  const Tensor y = onednn::conv2d(x, w, window, bias);
  CHECK_FALSE(same(y, exact));
  check_sums(y, reference::conv2d(x, w, window, bias),
             reference::conv2d(magnitudes(x), magnitudes(w), window, magnitudes(bias)), kTerms);
  check_sums(onednn::conv2d_dx(dy, w, x_shape, window),
             reference::conv2d_dx(dy, w, x_shape, window),
             reference::conv2d_dx(magnitudes(dy), magnitudes(w), x_shape, window), kTerms);
  check_sums(onednn::conv2d_dw(x, dy, w_shape, window),
             reference::conv2d_dw(x, dy, w_shape, window),
             reference::conv2d_dw(magnitudes(x), magnitudes(dy), w_shape, window), kTerms);
  const Tensor k = random({20, 3, 3, 1}, "k");
  check_sums(onednn::depthwise_conv2d(x, k, window), reference::depthwise_conv2d(x, k, window),
             reference::depthwise_conv2d(magnitudes(x), magnitudes(k), window), kTerms);
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const Tensor a = random(ta ? Shape{70, 33} : Shape{33, 70}, "a"),
                   b = random(tb ? Shape{45, 70} : Shape{70, 45}, "b");
      const GemmOptions options{.transpose_a = ta, .transpose_b = tb};
      const Tensor c = onednn::gemm(a, b, options), want = reference::gemm(a, b, options);
      CHECK_FALSE(same(c, want));
      check_sums(c, want, reference::gemm(magnitudes(a), magnitudes(b), options), kTerms);
    }
}

TEST_CASE("precision: the scope ends, and float32's bits are back") {
  const Tensor a = random({33, 70}, "a"), b = random({70, 45}, "b"), want = onednn::gemm(a, b);
  CHECK(precision() == Precision::kFloat32);
  if (has_bf16()) {
    const PrecisionInScope scope(Precision::kBf16);
    CHECK(precision() == Precision::kBf16);
    onednn::gemm(a, b);
  } else {
    CHECK_THROWS_AS(PrecisionInScope(Precision::kBf16), Error);
  }
  CHECK(precision() == Precision::kFloat32);
  check_same(onednn::gemm(a, b), want);
}

TEST_CASE("threads: each number has primitives of its own, and little work stays with one") {
  const Tensor a = random({300, 200}, "a"), b = random({200, 300}, "b"),
               want = reference::gemm(a, b), size = reference::gemm(magnitudes(a), magnitudes(b));
  for (const int n : {1, 3, 2}) {
    const ThreadsInScope scope(n);
    check_sums(onednn::gemm(a, b), want, size, 200);
    {
      const ThreadsForWork little(1000);
      CHECK(threads() == 1);
    }
    const ThreadsForWork much(1e9);
    CHECK(threads() == n);
    int parts = 0;
    in_parallel(10, 1000, [&](std::int64_t begin, std::int64_t end) {
      CHECK((begin == 0 && end == 10));
      ++parts;
    });
    CHECK(parts == 1);
    std::vector<int> seen(10);
    in_parallel(10, 1e9, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    CHECK(seen == std::vector<int>(10, 1));
    CHECK_THROWS_AS(
        in_parallel(10, 1e9,
                    [](std::int64_t, std::int64_t) { fail(ErrorKind::kUsage, "part", "no"); }),
        Error);
  }
}

TEST_CASE("precision: by name") {
  for (const Precision p : {Precision::kFloat32, Precision::kBf16})
    CHECK(precision_named(name_of(p)) == p);
  CHECK_THROWS_AS(precision_named("fp16"), Error);
}

}  // namespace espalier::kernels
