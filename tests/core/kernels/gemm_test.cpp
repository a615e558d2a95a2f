#include "core/kernels/gemm.hpp"

#include <thread>
#include <vector>

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {

TEST_CASE("gemm: the twins agree for every shape and transposition") {
  for (const std::int64_t m : {1, 3, 17, 64})
    for (const std::int64_t k : {1, 17, 784})
      for (const std::int64_t n : {1, 10, 17, 33})
        for (const bool ta : {false, true})
          for (const bool tb : {false, true}) {
            CAPTURE(m);
            CAPTURE(k);
            CAPTURE(n);
            CAPTURE(ta);
            CAPTURE(tb);
            const GemmOptions options{.transpose_a = ta, .transpose_b = tb};
            const Tensor a = random(ta ? Shape{k, m} : Shape{m, k}, "a");
            const Tensor b = random(tb ? Shape{n, k} : Shape{k, n}, "b");
            check_sums(onednn::gemm(a, b, options), reference::gemm(a, b, options),
                       reference::gemm(magnitudes(a), magnitudes(b), options), k);
          }
}

TEST_CASE("gemm: an empty sum is 0") {
  for (const Shape& shape : {Shape{2, 0}, Shape{0, 3}}) {
    const Tensor a(shape), b({shape[1], 4});
    check_same(onednn::gemm(a, b), reference::gemm(a, b));
  }
}

TEST_CASE("gemm: threads share a primitive") {
  const Tensor a = random({32, 50}, "a"), b = random({50, 20}, "b");
  const Tensor want = onednn::gemm(a, b);
  std::vector<Tensor> got(8);
  std::vector<std::thread> threads;
  for (Tensor& result : got)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) result = onednn::gemm(a, b);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : got) check_same(result, want);
}

TEST_CASE("gemm: a cache that starts over still answers") {
  for (std::int64_t m = 1; m <= 300; ++m) {
    const Tensor a = random({m, 2}, "a"), b = random({2, 3}, "b");
    check_sums(onednn::gemm(a, b), reference::gemm(a, b),
               reference::gemm(magnitudes(a), magnitudes(b)), 2);
  }
}

TEST_CASE("gemm: what does not fit is refused by both twins") {
  for (const auto gemm : {onednn::gemm, reference::gemm}) {
    CHECK_THROWS_AS(gemm(Tensor({2, 3}), Tensor({2, 3}), {}), Error);
    CHECK_THROWS_AS(gemm(Tensor({2, 3, 1}), Tensor({3, 2}), {}), Error);
    CHECK_THROWS_AS(gemm(Tensor({2, 3}, DType::kInt32), Tensor({3, 2}), {}), Error);
    CHECK_THROWS_AS(gemm(Tensor({2, 3}), Tensor({3, 2}), {.transpose_a = true}), Error);
  }
}

}  // namespace espalier::kernels
