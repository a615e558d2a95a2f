// Times both twins of each kernel on the small tutorial model's shapes at batch 32, one thread:
// median of 31 runs, and the ratio. What it prints is why core/kernels chooses the twin that it
// does.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "core/base/median.hpp"
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

template <class Reference, class OneDnn>
void row(const char* name, Reference reference, OneDnn onednn) {
  const double plain = median_us(reference), fast = median_us(onednn);
  std::printf("%-20s %12.1f %12.1f %8.1fx\n", name, plain, fast, plain / fast);
}

}  // namespace

int main() {
  set_threads(1);
  const Window k3{.kernel_h = 3, .kernel_w = 3};
  const Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  const Tensor x = Tensor::full({32, 28, 28, 1}, 0.5f), w = Tensor::full({12, 3, 3, 1}, 0.1f);
  const Tensor y = onednn::conv2d(x, w, k3), c = Tensor::full({12}, 1);
  const auto pooled = onednn::max_pool2d(y, pool), plain = reference::max_pool2d(y, pool);
  const Tensor flat = pooled.y.reshaped({32, 2028}), d = Tensor::full({10, 2028}, 0.1f);
  const Tensor logits = onednn::gemm(flat, d, {.transpose_b = true});

  std::printf("%-20s %12s %12s %9s\n", "kernel", "plain us", "oneDNN us", "ratio");
  row(
      "conv2d", [&] { reference::conv2d(x, w, k3); }, [&] { onednn::conv2d(x, w, k3); });
  row(
      "conv2d_dw", [&] { reference::conv2d_dw(x, y, w.shape(), k3); },
      [&] { onednn::conv2d_dw(x, y, w.shape(), k3); });
  row(
      "max_pool2d", [&] { reference::max_pool2d(y, pool); }, [&] { onednn::max_pool2d(y, pool); });
  row(
      "max_pool2d_dx", [&] { reference::max_pool2d_dx(plain.y, plain.workspace, y.shape(), pool); },
      [&] { onednn::max_pool2d_dx(pooled.y, pooled.workspace, y.shape(), pool); });
  row(
      "gemm", [&] { reference::gemm(flat, d, {.transpose_b = true}); },
      [&] { onednn::gemm(flat, d, {.transpose_b = true}); });
  row(
      "log_softmax", [&] { reference::log_softmax(logits); }, [&] { onednn::log_softmax(logits); });
  row(
      "batch_norm", [&] { reference::batch_norm_training(y, c, c, 1e-3f); },
      [&] { onednn::batch_norm_training(y, c, c, 1e-3f); });
  row(
      "relu", [&] { reference::relu(y); }, [&] { onednn::relu(y); });
  row(
      "relu_dx", [&] { reference::relu_dx(y, y); }, [&] { onednn::relu_dx(y, y); });
  row(
      "add", [&] { reference::add(y, y); }, [&] { onednn::add(y, y); });
  row(
      "add_bias", [&] { reference::add_bias(y, c); }, [&] { onednn::add_bias(y, c); });
  row(
      "sum_to_channels", [&] { reference::sum_to_channels(y); },
      [&] { onednn::sum_to_channels(y); });
  row(
      "multiply", [&] { reference::multiply(y, y); }, [&] { onednn::multiply(y, y); });
}
