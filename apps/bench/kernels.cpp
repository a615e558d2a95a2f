// Times the twins of each kernel, one thread, medians of 31 runs. First oneDNN's and our loops beside
// plain C++ on the small tutorial model's shapes at batch 32; then oneDNN's beside those that skip
// zeros, on the large model's and LeNet-5's at batch 128, by the share of numbers that are not 0. What
// it prints is why core/kernels chooses the twin that it does.
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
#include "core/kernels/elementwise.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/pool2d.hpp"
#include "core/kernels/softmax.hpp"
#include "core/onednn/threads.hpp"

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
  const Tensor image = scattered({128, 28, 28, 32}, 1);
  const auto ours = loops::max_pool2d(image, pool), theirs = onednn::max_pool2d(image, pool);
  std::printf(
      "\nlarge's first max_pool2d_dx, us: oneDNN %.0f, loops %.0f\n",
      median_us([&] { onednn::max_pool2d_dx(theirs.y, theirs.workspace, image.shape(), pool); }),
      median_us([&] { loops::max_pool2d_dx(ours.y, ours.workspace, image.shape(), pool); }));
}
