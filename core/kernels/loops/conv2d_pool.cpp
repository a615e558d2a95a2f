#include "core/kernels/conv2d_pool.hpp"

#include <array>

#include "core/kernels/checks.hpp"
#include "core/kernels/loops/planes.hpp"
#include "core/kernels/loops/pooled_rows.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::loops {
namespace {

constexpr std::int64_t kBits = 64;  // the widest row whose zeros are looked for

void check(const Shape& x, const Shape& w, const Window& window, const Window& pool) {
  require(convolves_and_pools(x, w, window, pool), ErrorKind::kInternal, "conv2d_relu_max_pool2d",
          "has no loops for ", x, " and weights ", w);
}

#if defined(__x86_64__)
// One image after another, in its planes, with the taps and what of its windows is lit. Keeps its memory.
class Images {
 public:
  // rows, windows: of the pooled image.
  void begin(const Planes& planes, std::int64_t rows, std::int64_t windows, std::int64_t outputs) {
    planes_ = planes, rows_ = rows;
    planes.taps(taps_);
    lit_.assign(static_cast<std::size_t>(rows * windows), 1);
    values_.assign(static_cast<std::size_t>(planes.channels * planes.plane), 0);
    of_row_ = {windows, outputs, planes.v.stride_h * planes.row, taps_, {}};
  }

  void read(const float* image) {
    planes_.read(image, values_);
    if (planes_.row <= kBits) look_for_light();
  }

  std::int64_t step() const { return 2 * of_row_.down; }  // from a row of windows to the next
  const float* row(std::int64_t p) const { return values_.data() + p * step(); }
  PooledWindows windows_of_row(std::int64_t p) const {
    PooledWindows r = of_row_;
    r.lit = std::span(lit_).subspan(static_cast<std::size_t>(p * r.windows),
                                    static_cast<std::size_t>(r.windows));
    return r;
  }
  PooledWindows all_windows() const {
    PooledWindows r = of_row_;
    r.lit = lit_;
    return r;
  }

 private:
  void look_for_light() {
    const std::int64_t high = planes_.v.stride_h + planes_.v.kernel_h,
                       lines = planes_.plane / planes_.row;
    lines_.assign(static_cast<std::size_t>(lines), 0);
    for (std::int64_t c = 0; c < planes_.channels; ++c)
      for (std::int64_t h = 0; h < lines; ++h)
        lines_[static_cast<std::size_t>(h)] |=
            nonzeros_avx512(values_.data() + c * planes_.plane + h * planes_.row, planes_.row);
    std::uint8_t* lit = lit_.data();
    for (std::int64_t p = 0; p < rows_; ++p) {
      std::uint64_t line = 0, window = 0;
      for (std::int64_t h = 0; h < high; ++h)
        line |= lines_[static_cast<std::size_t>(2 * p * planes_.v.stride_h + h)];
      for (std::int64_t j = 0; j <= planes_.v.kernel_w; ++j) window |= line >> j;
      for (std::int64_t q = 0; q < of_row_.windows; ++q) *lit++ = window >> (2 * q) & 1;
    }
  }

  Planes planes_{{1, 1, 1, 1}, {}};
  std::int64_t rows_ = 0;
  std::vector<std::int32_t> taps_;
  std::vector<std::uint8_t> lit_;
  std::vector<std::uint64_t> lines_;
  std::vector<float> values_;
  PooledWindows of_row_{};
};
#endif

}  // namespace

bool convolves_and_pools(const Shape& x, const Shape& w, const Window& window, const Window& pool) {
  return convolves(x, w, window) && pools(pool) && pool.kernel_h == 2 && pool.kernel_w == 2;
}

MaxPool2dResult conv2d_relu_max_pool2d(const Tensor& x, const Tensor& w, const Window& window,
                                       const Tensor& bias, const Window& pool) {
  const Shape shape = pooled_shape(convolved_shape(x.shape(), w.shape(), window), pool);
  check_conv_bias(bias, w.shape());
  check(x.shape(), w.shape(), window, pool);
  MaxPool2dResult r{Tensor::uninitialized(shape), Tensor::uninitialized(shape, DType::kUint8)};
  if (r.y.elements() == 0) return r;
#if defined(__x86_64__)
  const std::int64_t outputs = shape[3], row = shape[2] * outputs;
  const Planes planes(x.shape(), window);
  static thread_local std::vector<float> kept;
  tap_by_tap(w.data(), outputs, w.elements() / outputs, kept);
  const float* weights = kept.data();  // of the calling thread, which others read, too
  std::array<float, kMostOutputs> start{};
  if (bias.defined()) std::ranges::copy(bias.values(), start.begin());
  float* y = r.y.mutable_data();
  auto* where = r.workspace.mutable_data<std::uint8_t>();
  const double work = 4 * static_cast<double>(r.y.elements() * w.elements() / outputs);
  in_parallel(shape[0], work, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Images images;
    images.begin(planes, shape[1], shape[2], outputs);
    for (std::int64_t n = begin; n < end; ++n) {
      images.read(x.data() + n * planes.image());
      for (std::int64_t p = 0; p < shape[1]; ++p) {
        const std::int64_t at = (n * shape[1] + p) * row;
        pooled_row_avx512(images.row(p), weights, start.data(), y + at, where + at,
                          images.windows_of_row(p));
      }
    }
  });
#endif
  return r;
}

ConvPoolGradients conv2d_relu_max_pool2d_dw(const Tensor& x, const Tensor& dy,
                                            const Tensor& workspace, const Shape& w_shape,
                                            const Window& window, const Window& pool) {
  check_pool_gradient(dy, convolved_shape(x.shape(), w_shape, window), pool);
  check(x.shape(), w_shape, window, pool);
  require(
      workspace.defined() && workspace.dtype() == DType::kUint8 && workspace.shape() == dy.shape(),
      "conv2d_relu_max_pool2d_dw", "wants the workspace that this twin wrote for input ",
      x.shape());
  ConvPoolGradients g{Tensor(w_shape), Tensor({w_shape[0]})};
  if (dy.elements() == 0) return g;
#if defined(__x86_64__)
  const Shape shape = dy.shape();
  const std::int64_t outputs = shape[3], taps = w_shape.elements() / outputs,
                     all = shape[1] * shape[2] * outputs;
  const Planes planes(x.shape(), window);
  // Each image's sums by themselves, added in order: the same bits whatever the number of threads.
  Tensor sums = Tensor::uninitialized({shape[0], taps + 1, kMostOutputs});
  float* const first = sums.mutable_data();
  const double work = 4 * static_cast<double>(dy.elements() * taps);
  in_parallel(shape[0], work, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Images images;
    images.begin(planes, shape[1], shape[2], outputs);
    for (std::int64_t n = begin; n < end; ++n) {
      images.read(x.data() + n * planes.image());
      float* dw = first + n * (taps + 1) * kMostOutputs;
      pooled_gradient_avx512(images.row(0), dy.data() + n * all,
                             workspace.data<std::uint8_t>() + n * all, dw, dw + taps * kMostOutputs,
                             shape[1], images.step(), images.all_windows());
    }
  });
  for (std::int64_t n = 1; n < shape[0]; ++n)
    for (std::int64_t t = 0; t <= taps; ++t) {
      const float* from = first + (n * (taps + 1) + t) * kMostOutputs;
      for (std::int64_t o = 0; o < outputs; ++o) first[t * kMostOutputs + o] += from[o];
    }
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t t = 0; t < taps; ++t)
      g.dw.mutable_data()[o * taps + t] = first[t * kMostOutputs + o];
    g.dbias.mutable_data()[o] = first[taps * kMostOutputs + o];
  }
#endif
  return g;
}

}  // namespace espalier::kernels::loops
