#include "core/kernels/conv2d.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/sparse/density.hpp"
#include "core/kernels/sparse/entries.hpp"
#include "core/kernels/sparse/transpose.hpp"
#include "core/onednn/threads.hpp"
#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

// This share of random numbers, the others 0.
Tensor scattered(const Shape& shape, double density, std::string_view stream) {
  Rng rng(7, stream);
  Tensor t(shape);
  for (float& v : t.mutable_values()) {
    const float value = rng.uniform(-1, 1);
    if (static_cast<double>(rng.uniform()) < density) v = value;
  }
  return t;
}

std::vector<const sparse::EntryLoops*> runnable() {
  std::vector<const sparse::EntryLoops*> all = {&sparse::kPlainLoops};
#if defined(__x86_64__)
  if (&sparse::entry_loops() != &sparse::kPlainLoops) all.push_back(&sparse::kAvx2Loops);
  if (&sparse::entry_loops() == &sparse::kAvx512Loops) all.push_back(&sparse::kAvx512Loops);
#endif
  return all;
}

const Window kSame5{
    .kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2};
struct Case {
  Shape x;
  std::int64_t outputs;
  Window window;
};
// The tutorial's, one channel, lopsided padding with strides that leave pixels over, 1x1, images
// wider than a strip, and rows of more numbers than the registers hold.
const Case kCases[] = {
    {{2, 14, 14, 32}, 64, kSame5},
    {{2, 9, 9, 1}, 6, {.kernel_h = 5, .kernel_w = 5}},
    {{3, 9, 10, 16},
     17,
     {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 3, .pad_left = 1, .pad_bottom = 2}},
    {{3, 7, 9, 4}, 5, {}},
    {{1, 12, 300, 8}, 3, {.kernel_h = 3, .kernel_w = 3}},
    {{2, 4, 4, 200}, 9, {.kernel_h = 3, .kernel_w = 3}},
    {{1, 60, 60, 2}, 40, {.kernel_h = 3, .kernel_w = 3, .pad_top = 1}},  // of more than one band
};

}  // namespace

TEST_CASE("sparse entries: the twins find the same numbers and add the same patches") {
  const Tensor source = random({40, 700}, "source");
  for (const std::int64_t n : {1, 7, 8, 15, 16, 17, 100}) {
    const Tensor row = scattered({n}, 0.4, "row");
    sparse::Entries want;
    want.reserve(n + 1);
    want.size = 1;  // appends
    sparse::kPlainLoops.find(row.data(), n, 3, 5, want);
    for (const auto* twin : runnable()) {
      sparse::Entries got;
      got.reserve(n + 1);
      got.size = 1;
      twin->find(row.data(), n, 3, 5, got);
      REQUIRE(got.size == want.size);
      for (std::size_t e = 1; e < static_cast<std::size_t>(want.size); ++e) {
        CHECK(got.offsets[e] == want.offsets[e]);
        CHECK(got.values[e] == want.values[e]);
      }
    }
  }
  const std::vector<std::int32_t> offsets = {0, 3, 701, 2, 1400};
  const std::vector<float> values = {1, -2, 0.5f, 3, 0.25f};
  for (const std::int64_t rows : {1, 2, 3, 5, 7})
    for (const std::int64_t width : {1, 5, 8, 16, 17, 31, 48, 100, 160, 300, 500, 600}) {
      CAPTURE(rows);
      CAPTURE(width);
      const sparse::Patch patch{rows, width, width + 3, 700};
      const Shape sums{rows, width + 3};
      const Tensor before = random(sums, "sums");
      const auto run = [&](const sparse::EntryLoops& twin, const Tensor& s, const Tensor& from,
                           const std::vector<float>& v) {
        Tensor result = s.clone();
        twin.add(result.mutable_data(), from.data(), offsets.data(), v.data(), 5, patch);
        return result;
      };
      std::vector<float> sizes = values;
      for (float& v : sizes) v = std::abs(v);
      for (const auto* twin : runnable())
        check_sums(run(*twin, before, source, values),
                   run(sparse::kPlainLoops, before, source, values),
                   run(sparse::kPlainLoops, magnitudes(before), magnitudes(source), sizes), 6);
    }
}

TEST_CASE("sparse conv2d: both gradients are the reference's, whatever the share of zeros") {
  for (const auto& [x_shape, outputs, window] : kCases)
    for (const double density : {0.0, 0.05, 0.3, 1.0}) {
      CAPTURE(x_shape);
      CAPTURE(density);
      const Shape w_shape{outputs, window.kernel_h, window.kernel_w, x_shape[3]};
      const Shape y_shape = convolved_shape(x_shape, w_shape, window);
      const Tensor x = random(x_shape, "x"), w = random(w_shape, "w"),
                   dy = scattered(y_shape, density, "dy");
      check_sums(sparse::conv2d_dx(dy, w, x_shape, window),
                 reference::conv2d_dx(dy, w, x_shape, window),
                 reference::conv2d_dx(magnitudes(dy), magnitudes(w), x_shape, window),
                 window.kernel_h * window.kernel_w * outputs);
      check_sums(sparse::conv2d_dw(x, dy, w_shape, window),
                 reference::conv2d_dw(x, dy, w_shape, window),
                 reference::conv2d_dw(magnitudes(x), magnitudes(dy), w_shape, window),
                 y_shape[0] * y_shape[1] * y_shape[2]);
    }
}

TEST_CASE("sparse gemm: zeros of either factor, each way of transposing") {
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1}, {3, 17, 5}, {40, 300, 130}})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const double density : {0.0, 0.2, 1.0}) {
          CAPTURE(m);
          CAPTURE(ta);
          CAPTURE(tb);
          const GemmOptions options{.transpose_a = ta, .transpose_b = tb};
          const Tensor a = scattered(ta ? Shape{k, m} : Shape{m, k}, density, "a"),
                       b = scattered(tb ? Shape{n, k} : Shape{k, n}, density, "b");
          const Tensor want = reference::gemm(a, b, options),
                       size = reference::gemm(magnitudes(a), magnitudes(b), options);
          check_sums(sparse::gemm(a, b, options), want, size, k);
          check_sums(sparse::gemm_of_sparse_b(a, b, options), want, size, k);
        }
}

TEST_CASE("sparse kernels: empty batches, and what does not fit") {
  const Window window{.kernel_h = 3, .kernel_w = 3};
  const Tensor x({0, 8, 8, 2}), w = random({4, 3, 3, 2}, "w"), y({0, 6, 6, 4});
  check_same(sparse::conv2d_dx(y, w, x.shape(), window), x);
  check_same(sparse::conv2d_dw(x, y, w.shape(), window), Tensor(w.shape()));
  check_same(sparse::gemm(Tensor({0, 3}), Tensor({3, 2})), Tensor({0, 2}));
  check_same(sparse::gemm(Tensor({2, 0}), Tensor({0, 3})), Tensor({2, 3}));
  const Tensor dy({1, 6, 6, 4});
  CHECK_THROWS_AS(sparse::conv2d_dx(dy, w, Shape{1, 9, 8, 2}, window), Error);
  CHECK_THROWS_AS(sparse::conv2d_dw(Tensor({1, 9, 8, 2}), dy, w.shape(), window), Error);
  CHECK_THROWS_AS(sparse::gemm(Tensor({2, 3}), Tensor({2, 3})), Error);
}

TEST_CASE("sparse kernels: NaN and infinity are numbers, not zeros") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor ones = Tensor::full({1, 40}, 1);
  for (const float bad : {nan, std::numeric_limits<float>::infinity()})
    CHECK_FALSE(std::isfinite(sparse::gemm(Tensor::from({1, 1}, {bad}), ones).data()[0]));
}

TEST_CASE("sparse kernels: the same bits with one thread and with three") {
  const auto [x_shape, outputs, window] = kCases[0];
  const Shape w_shape{outputs, 5, 5, 32};
  const Tensor x = random(x_shape, "x"), w = random(w_shape, "w"),
               dy = scattered(convolved_shape(x_shape, w_shape, window), 0.2, "dy");
  const auto run = [&](int threads) {
    const ThreadsInScope scope(threads);
    return std::vector{sparse::conv2d_dx(dy, w, x_shape, window),
                       sparse::conv2d_dw(x, dy, w_shape, window),
                       sparse::gemm(dy.reshaped({392, 64}), w.reshaped({64, 800}))};
  };
  const auto one = run(1), three = run(3);
  for (std::size_t i = 0; i < one.size(); ++i) check_same(three[i], one[i]);
}

TEST_CASE("the choice of twin changes no gradient by more than rounding") {
  const auto [x_shape, outputs, window] = kCases[0];
  const Shape w_shape{outputs, 5, 5, 32};
  const Tensor x = random(x_shape, "x"), w = random(w_shape, "w");
  const Shape y_shape = convolved_shape(x_shape, w_shape, window);
  for (const double density : {0.1, 0.9}) {
    const Tensor dy = scattered(y_shape, density, "dy");
    const bool skips = density < 0.5 && &sparse::entry_loops() != &sparse::kPlainLoops;
    check_same(conv2d_dx(dy, w, x_shape, window), skips
                                                      ? sparse::conv2d_dx(dy, w, x_shape, window)
                                                      : onednn::conv2d_dx(dy, w, x_shape, window));
    const Tensor a = dy.reshaped({392, 64}), b = w.reshaped({64, 800});
    check_same(gemm(a, b), skips ? sparse::gemm(a, b) : onednn::gemm(a, b));
    // A pruned weight on the right, as in a dense layer's forward.
    const Tensor thin = scattered({300, 800}, density, "thin");
    const Tensor wide = random({128, 800}, "wide");
    check_same(gemm(wide, thin, {.transpose_b = true}),
               skips ? sparse::gemm_of_sparse_b(wide, thin, {.transpose_b = true})
                     : onednn::gemm(wide, thin, {.transpose_b = true}));
  }
}

TEST_CASE("transposed: whole tiles, and what is left over") {
  for (const Shape& shape :
       {Shape{16, 16}, Shape{32, 48}, Shape{1, 5}, Shape{33, 20}, Shape{0, 3}}) {
    const Tensor m = random(shape, "m"), t = sparse::transposed(m);
    REQUIRE(t.shape() == Shape{shape[1], shape[0]});
    for (std::int64_t r = 0; r < shape[0]; ++r)
      for (std::int64_t c = 0; c < shape[1]; ++c)
        REQUIRE(t.data()[c * shape[0] + r] == m.data()[r * shape[1] + c]);
  }
}

TEST_CASE("density: exact for small tensors, near for large ones") {
  CHECK(sparse::density(Tensor({0})) == 1);
  CHECK(sparse::density(Tensor({100})) == 0);
  CHECK(sparse::density(Tensor::from({4}, {0, 1, 0, 3})) == 0.5);
  CHECK(sparse::density(scattered({1000, 1000}, 0.2, "d")) == doctest::Approx(0.2).epsilon(0.02));
}

}  // namespace espalier::kernels
