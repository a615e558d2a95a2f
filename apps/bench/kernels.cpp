// Times the twins of each kernel, one thread, medians of 31 runs. First oneDNN's and our loops beside
// plain C++ on the small tutorial model's shapes at batch 32; then oneDNN's beside those that skip
// zeros, on the large model's and LeNet-5's at batch 128, by the share of numbers that are not 0; first
// layers as one op; and what a second thread gives loops over memory. What it prints is why
// core/kernels chooses the twin that it does.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "core/base/median.hpp"
#include "core/base/rng.hpp"
#include "core/kernels/batch_norm.hpp"
#include "core/kernels/conv2d.hpp"
#include "core/kernels/conv2d_pool.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/pool2d.hpp"
#include "core/kernels/softmax.hpp"
#include "core/onednn/threads.hpp"
#include "core/ops/ops.hpp"
#include "optim/optimizer.hpp"

using namespace espalier;
using namespace espalier::kernels;
namespace {

template <class Run>
double median_us(Run run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = 0; i < 31; ++i) {
    const auto start = Clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return median(std::move(times));
}

using Run = std::function<void()>;

void row(const char* name, const Run& plain, const Run& onednn, const Run& loops = nullptr) {
  std::printf("%-20s %12.1f %12.1f", name, median_us(plain), median_us(onednn));
  if (loops) std::printf(" %12.1f", median_us(loops));
  std::printf("\n");
}

Tensor scattered(const Shape& shape, double share) {
  Rng rng(1, "bench");
  Tensor t(shape);
  for (float& v : t.mutable_values()) {
    const float value = rng.uniform(-1, 1);
    if (static_cast<double>(rng.uniform()) < share) v = value;
  }
  return t;
}

constexpr double kShares[] = {0.1, 0.2, 0.3, 0.5};

// `make` gives the two runs for a factor that has this share of numbers.
template <class Make>
void sparse_row(const std::string& name, Make make) {
  std::printf("%-34s %10.0f", name.c_str(), median_us(make(kShares[0]).first));
  for (const double share : kShares) std::printf(" %8.0f", median_us(make(share).second));
  std::printf("\n");
}

void conv_rows(const char* name, const Shape& x_shape, std::int64_t outputs, const Window& window) {
  const Shape w_shape{outputs, window.kernel_h, window.kernel_w, x_shape[3]};
  const Shape y_shape = convolved_shape(x_shape, w_shape, window);
  const Tensor x = scattered(x_shape, 1), w = scattered(w_shape, 1);
  sparse_row(std::string("conv2d_dx, ") + name, [&](double share) {
    const Tensor dy = scattered(y_shape, share);
    return std::pair<Run, Run>{[&, dy] { onednn::conv2d_dx(dy, w, x_shape, window); },
                               [&, dy] { sparse::conv2d_dx(dy, w, x_shape, window); }};
  });
  sparse_row(std::string("conv2d_dw, ") + name, [&](double share) {
    const Tensor dy = scattered(y_shape, share);
    return std::pair<Run, Run>{[&, dy] { onednn::conv2d_dw(x, dy, w_shape, window); },
                               [&, dy] { sparse::conv2d_dw(x, dy, w_shape, window); }};
  });
}

void gemm_row(const char* name, const Shape& a_shape, const Shape& b_shape, GemmOptions options) {
  const Tensor b = scattered(b_shape, 1);
  sparse_row(name, [&](double share) {
    const Tensor a = scattered(a_shape, share);
    return std::pair<Run, Run>{[&, a] { onednn::gemm(a, b, options); },
                               [&, a] { sparse::gemm(a, b, options); }};
  });
}

// A first convolution, relu and max pooling, one after the other and as one, there and back: of images
// that are full, and of such whose middle quarter is, as digits are.
void first_layer_row(const char* name, std::int64_t outputs, const Window& window) {
  const Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  const Tensor w = scattered({outputs, window.kernel_h, window.kernel_w, 1}, 1),
               b = scattered({outputs}, 1);
  std::printf("%-16s", name);
  for (const bool middle : {false, true}) {
    Tensor x = scattered({128, 28, 28, 1}, 1);
    for (std::int64_t i = 0; middle && i < x.elements(); ++i)
      if (i % 28 < 7 || i % 28 >= 21 || i / 28 % 28 < 7 || i / 28 % 28 >= 21)
        x.mutable_data()[i] = 0;
    const Tensor conv = loops::conv2d(x, w, window, b);
    const auto apart = loops::relu_max_pool2d(conv, pool),
               one = loops::conv2d_relu_max_pool2d(x, w, window, b, pool);
    const Tensor dy = scattered(one.y.shape(), 1);
    const Run runs[] = {
        [&] { loops::relu_max_pool2d(loops::conv2d(x, w, window, b), pool); },
        [&] { loops::conv2d_relu_max_pool2d(x, w, window, b, pool); },
        [&] {
          const Tensor d = loops::max_pool2d_dx(dy, apart.workspace, conv.shape(), pool);
          kernels::conv2d_dw(x, d, w.shape(), window);
          sum_to_channels(d);
        },
        [&] { loops::conv2d_relu_max_pool2d_dw(x, dy, one.workspace, w.shape(), window, pool); }};
    for (const Run& run : runs) std::printf(" %8.0f", median_us(run));
  }
  std::printf("\n");
}

void two_threads_row(const char* name, const Run& run) {
  double least[2] = {1e300, 1e300};
  for (int i = 0; i < 60; ++i)
    for (const int threads : {1, 2}) {
      const ThreadsInScope scope(threads);
      const auto start = std::chrono::steady_clock::now();
      run();
      const std::chrono::duration<double, std::micro> us = std::chrono::steady_clock::now() - start;
      least[threads - 1] = std::min(least[threads - 1], us.count());
    }
  std::printf("%-34s %10.0f %8.0f %8.2f\n", name, least[0], least[1], least[0] / least[1]);
}

// What shares threads beside oneDNN, where it reads and writes more than four megabytes.
void two_threads_table() {
  const Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  std::printf("\n%-34s %10s %8s %8s\n", "two threads, us", "one", "two", "gain");
  const Tensor x = scattered({128, 28, 28, 32}, 1), y = scattered({128, 14, 14, 64}, 1),
               c = Tensor::full({64}, 1);
  const auto pooled = loops::relu_max_pool2d(x, pool);
  const Tensor dy = scattered(pooled.y.shape(), 1);
  two_threads_row("relu_max_pool2d, 28x28x32", [&] { loops::relu_max_pool2d(x, pool); });
  two_threads_row("max_pool2d_dx, 28x28x32",
                  [&] { loops::max_pool2d_dx(dy, pooled.workspace, x.shape(), pool); });
  two_threads_row("relu, 14x14x64", [&] { relu(y); });
  two_threads_row("relu_dx, 14x14x64", [&] { relu_dx(y, y); });
  two_threads_row("batch_norm, 14x14x64", [&] { onednn::batch_norm_training(y, c, c, 1e-3f); });
  for (const std::int64_t n : {400'000, 3'211'264}) {
    Variable v(scattered({n}, 1), true);
    backward(ops::sum(v));
    optim::Adam adam({v}, {});
    two_threads_row(("Adam, " + std::to_string(n) + " parameters").c_str(), [&] { adam.step(); });
  }
}

}  // namespace

int main() {
  set_threads(1);
  const Window k3{.kernel_h = 3, .kernel_w = 3};
  const Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  const Tensor x = scattered({32, 28, 28, 1}, 1), w = scattered({12, 3, 3, 1}, 1);
  const Tensor y = onednn::conv2d(x, w, k3), c = Tensor::full({12}, 1);
  const auto pooled = onednn::max_pool2d(y, pool), plain = reference::max_pool2d(y, pool);
  const Tensor flat = pooled.y.reshaped({32, 2028}), d = scattered({10, 2028}, 1);
  const Tensor logits = onednn::gemm(flat, d, {.transpose_b = true});
  const bool conv_loops = loops::convolves(x.shape(), w.shape(), k3),
             pool_loops = loops::pools(pool);

  std::printf("%-20s %12s %12s %12s\n", "small, us", "plain", "oneDNN", "loops");
  row(
      "conv2d", [&] { reference::conv2d(x, w, k3); }, [&] { onednn::conv2d(x, w, k3); },
      conv_loops ? Run([&] { loops::conv2d(x, w, k3); }) : nullptr);
  row(
      "conv2d_dw", [&] { reference::conv2d_dw(x, y, w.shape(), k3); },
      [&] { onednn::conv2d_dw(x, y, w.shape(), k3); });
  row(
      "max_pool2d", [&] { reference::max_pool2d(y, pool); }, [&] { onednn::max_pool2d(y, pool); },
      pool_loops ? Run([&] { loops::max_pool2d(y, pool); }) : nullptr);
  const auto looped = pool_loops ? loops::max_pool2d(y, pool) : MaxPool2dResult{};
  row(
      "max_pool2d_dx", [&] { reference::max_pool2d_dx(plain.y, plain.workspace, y.shape(), pool); },
      [&] { onednn::max_pool2d_dx(pooled.y, pooled.workspace, y.shape(), pool); },
      pool_loops ? Run([&] { loops::max_pool2d_dx(looped.y, looped.workspace, y.shape(), pool); })
                 : nullptr);
  row(
      "gemm", [&] { reference::gemm(flat, d, {.transpose_b = true}); },
      [&] { onednn::gemm(flat, d, {.transpose_b = true}); });
  row(
      "log_softmax", [&] { reference::log_softmax(logits); }, [&] { onednn::log_softmax(logits); });
  row(
      "batch_norm", [&] { reference::batch_norm_training(y, c, c, 1e-3f); },
      [&] { onednn::batch_norm_training(y, c, c, 1e-3f); });
  row(
      "relu", [&] { reference::relu(y); }, [&] { onednn::relu(y); }, [&] { loops::relu(y); });
  row(
      "relu_dx", [&] { reference::relu_dx(y, y); }, [&] { onednn::relu_dx(y, y); },
      [&] { loops::relu_dx(y, y); });
  row(
      "add", [&] { reference::add(y, y); }, [&] { onednn::add(y, y); }, [&] { loops::add(y, y); });
  row(
      "add_bias", [&] { reference::add_bias(y, c); }, [&] { onednn::add_bias(y, c); },
      [&] { loops::add_bias(y, c); });
  row(
      "sum_to_channels", [&] { reference::sum_to_channels(y); },
      [&] { onednn::sum_to_channels(y); }, [&] { loops::sum_to_channels(y); });
  row(
      "multiply", [&] { reference::multiply(y, y); }, [&] { onednn::multiply(y, y); },
      [&] { loops::multiply(y, y); });

  std::printf("\n%-34s %10s %8s %8s %8s %8s\n", "skipping zeros, us", "oneDNN", "10 %", "20 %",
              "30 %", "50 %");
  conv_rows(
      "large conv2", {128, 14, 14, 32}, 64,
      {.kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2});
  conv_rows("LeNet-5 conv2", {128, 12, 12, 20}, 50, {.kernel_h = 5, .kernel_w = 5});
  gemm_row("gemm, large dense1's input", {128, 1024}, {1024, 3136}, {});
  gemm_row("gemm, large dense1's weights", {128, 1024}, {128, 3136}, {.transpose_a = true});
  gemm_row("gemm, LeNet-300-100 forward", {128, 784}, {300, 784}, {.transpose_b = true});

  if (!pool_loops) return 0;
  std::printf("\n%-16s %35s %35s\n%-16s", "first layer, us", "full images", "lit in the middle",
              "");
  for (int i = 0; i < 2; ++i)
    for (const char* column : {"forward", "as one", "backward", "as one"})
      std::printf(" %8s", column);
  std::printf("\n");
  first_layer_row("small", 12, k3);
  first_layer_row("LeNet-5", 20, {.kernel_h = 5, .kernel_w = 5});
  first_layer_row(
      "large", 32,
      {.kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2});
  two_threads_table();
  const Tensor image = scattered({128, 28, 28, 32}, 1);
  const auto ours = loops::max_pool2d(image, pool), theirs = onednn::max_pool2d(image, pool);
  std::printf(
      "\nlarge's first max_pool2d_dx, us: oneDNN %.0f, loops %.0f\n",
      median_us([&] { onednn::max_pool2d_dx(theirs.y, theirs.workspace, image.shape(), pool); }),
      median_us([&] { loops::max_pool2d_dx(ours.y, ours.workspace, image.shape(), pool); }));
}
