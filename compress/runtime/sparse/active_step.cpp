#include "compress/runtime/sparse/active_step.hpp"

#include <algorithm>
#include <limits>

#include "compress/runtime/sparse/active.hpp"
#include "compress/runtime/sparse/padded.hpp"
#include "compress/runtime/sparse/windows.hpp"
#include "core/base/clones.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::LayerKind;
using format::PackedLayer;

// Runs faster than a list of them is made.
ESPALIER_CLONES std::int64_t count_active(const std::uint8_t* x, std::int64_t count) {
  std::int64_t active = 0;
  constexpr std::int64_t kAtOnce = 128;  // a byte counts as many
  for (; count >= kAtOnce; x += kAtOnce, count -= kAtOnce) {
    std::uint8_t lanes[16] = {};
    for (std::int64_t i = 0; i < kAtOnce; i += 16)
      for (std::int64_t j = 0; j < 16; ++j)
        lanes[j] = static_cast<std::uint8_t>(lanes[j] + (x[i + j] != 0));
    for (const std::uint8_t lane : lanes) active += lane;
  }
  for (std::int64_t i = 0; i < count; ++i) active += x[i] != 0;
  return active;
}

// `count` entries behind those that `to` has, `shift` added to their offsets; whole chunks are copied.
ESPALIER_CLONES void append(const std::uint8_t* levels, const std::int32_t* offsets,
                            std::int64_t count, std::int32_t shift, std::uint8_t* to_levels,
                            std::int32_t* to_offsets) {
  for (std::int64_t i = 0; i < count; i += ActiveInputs::kChunk) {
    for (std::int64_t j = 0; j < ActiveInputs::kChunk; ++j) to_levels[i + j] = levels[i + j];
    for (std::int64_t j = 0; j < ActiveInputs::kChunk; ++j)
      to_offsets[i + j] = offsets[i + j] + shift;
  }
}

// The active inputs of each row of an image, and from them those of any window.
class ActiveRows {
 public:
  ActiveRows(const PackedLayer& l, const Shape& padded, FindActive find)
      : find_(find),
        height_(padded[1]),
        width_(padded[2]),
        channels_(padded[3]),
        kernel_h_(l.kernel_h),
        kernel_w_(l.kernel_w),
        begins_(static_cast<std::size_t>(height_ * (width_ + 1))) {
    for (std::int64_t h = 0; h < height_; ++h) rows_.emplace_back(width_ * channels_);
  }

  void find(const std::uint8_t* image) {
    for (std::int64_t h = 0; h < height_; ++h)
      find_(image + h * width_ * channels_, width_, channels_, rows_[static_cast<std::size_t>(h)],
            begins_.data() + h * (width_ + 1));
  }

  // Of the window that starts at row `h`, pixel `w`.
  void window(std::int64_t h, std::int64_t w, ActiveInputs& to) const {
    to.count = 0;
    for (std::int64_t r = 0; r < kernel_h_; ++r) {
      const std::int32_t* begins = begins_.data() + (h + r) * (width_ + 1) + w;
      const std::int64_t begin = begins[0], count = begins[kernel_w_] - begin;
      const ActiveInputs& row = rows_[static_cast<std::size_t>(h + r)];
      const std::int64_t shift = (r * kernel_w_ - w) * channels_ * ActiveWeights::kOutputs;
      append(row.levels.data() + begin, row.offsets.data() + begin, count,
             static_cast<std::int32_t>(shift), to.levels.data() + to.count,
             to.offsets.data() + to.count);
      to.count += count;
    }
    to.fill_up();
  }

 private:
  FindActive find_;
  std::int64_t height_, width_, channels_, kernel_h_, kernel_w_;
  std::vector<ActiveInputs> rows_;
  std::vector<std::int32_t> begins_;  // [height width + 1]
};

// What both kinds of layer have in common.
struct Product {
  ActiveWeights weights;
  MultiplyActive multiply;
  Finish finish;

  // Output number `output` of y [outputs C].
  void operator()(std::span<const ActiveInputs> windows, void* y, std::int64_t output) const {
    for (std::int64_t t = 0; t * ActiveWeights::kOutputs < finish.channels; ++t)
      multiply(weights.tile(t), windows,
               Tiles{.x = nullptr,
                     .starts = {},
                     .pool = static_cast<int>(windows.size()),
                     .finish = finish,
                     .channel = t * ActiveWeights::kOutputs,
                     .y = y},
               output);
  }
};

// An image is an output.
Step dense_step(Product product, FindActive find, const Activation& x, const Activation& y) {
  const std::int64_t inputs = x.shape.elements() / x.shape[0];
  return [=, product = std::move(product), active = ActiveInputs(inputs)]() mutable {
    std::int32_t begins[2];
    for (std::int64_t n = 0; n < x.shape[0]; ++n) {
      find(x.levels() + n * inputs, 1, inputs, active, begins);
      active.fill_up();
      product({&active, 1}, y.data, n);
    }
  };
}

Step conv2d_step(Product product, FindActive find, const Fused& f, const Activation& x,
                 const Activation& y) {
  const PackedLayer& l = *f.linear;
  const Shape to = padded_shape(l, x.shape[0], {x.shape[1], x.shape[2], x.shape[3]});
  const Windows windows = windows_of(l, to, f.pool);
  struct Corner {
    std::int64_t h, w;
  };
  std::vector<Corner> corners;
  for (const std::int64_t start : windows.starts)
    corners.push_back({start / (to[2] * to[3]), start % (to[2] * to[3]) / to[3]});
  const std::int64_t inputs = l.kernel_h * l.kernel_w * to[3];
  return
      [=, product = std::move(product), input = Padded(l, x), rows = ActiveRows(l, to, find),
       corners = std::move(corners), outputs = windows.outputs(), image_bytes = windows.image_bytes,
       active =
           std::vector(static_cast<std::size_t>(windows.pool), ActiveInputs(inputs))]() mutable {
        const std::uint8_t* images = input.images();
        for (std::int64_t n = 0; n < x.shape[0]; ++n) {
          rows.find(images + n * image_bytes);
          const Corner* corner = corners.data();
          for (std::int64_t o = 0; o < outputs; ++o) {
            for (ActiveInputs& window : active) rows.window(corner->h, corner->w, window), ++corner;
            product(active, y.data, n * outputs + o);
          }
        }
      };
}

}  // namespace

bool may_be_active(const Fused& f, const Activation& x) {
  return x.grid.zero_point == 0 && f.linear->kind != LayerKind::kDepthwiseConv2d;
}

std::int64_t windows_of_run(const Fused& f, const Shape& x) {
  const Shape to = padded_shape(*f.linear, x[0], {x[1], x[2], x[3]});
  const std::int64_t each = windows_per_image(*f.linear, to, f.pool);
  return f.linear->kind == LayerKind::kDense ? each : x[0] * each;
}

Work active_work(const Fused& f, const Shape& x) {
  const PackedLayer& l = *f.linear;
  const std::int64_t bytes = ActiveWeights::bytes(l);
  if (l.kind == LayerKind::kDense) {
    const std::int64_t read = bytes + ActiveInputs::bytes(l.weight.shape[1]);
    return {.macs = ActiveWeights::macs(l) * x[0], .bytes = read, .made = read};
  }
  const Shape to = padded_shape(l, x[0], {x[1], x[2], x[3]});
  const std::int64_t windows = windows_per_image(l, to, f.pool),
                     pool = f.pool ? f.pool->kernel_h * f.pool->kernel_w : 1,
                     inputs = l.kernel_h * l.kernel_w * to[3];
  const std::int64_t lists = to[1] * (ActiveInputs::bytes(to[2] * to[3]) + 4 * (to[2] + 1)) +
                             pool * ActiveInputs::bytes(inputs) + 24 * windows;
  return {.macs = ActiveWeights::macs(l) * windows * x[0],
          .bytes = bytes + lists,
          .made = bytes + lists + (pads(l) ? to.elements() : 0)};
}

Step active_step(const Fused& f, const Activation& x, const Activation& y, double most,
                 Step otherwise, std::vector<std::int8_t>* taken) {
  const PackedLayer& l = *f.linear;
  const Shape to = padded_shape(l, x.shape[0], {x.shape[1], x.shape[2], x.shape[3]});
  const std::int64_t reach =
      std::max(std::ssize(l.weight.levels) / l.weight.shape[0], to[2] * to[3]);
  require(reach * ActiveWeights::kOutputs <= std::numeric_limits<std::int32_t>::max(),
          "ActiveWeights", "layer '", l.name, "' has windows or rows of ", reach,
          " inputs, whose weights offsets of 31 bits do not reach");
  const auto [find, multiply] = active_kernels(vector_isa());
  Finish finish = finish_of(l, x.grid, f.norm);  // of the levels, which may be gone then
  Product product{
      taken ? ActiveWeights::of_taken(std::move(*taken), l.weight.shape[0]) : ActiveWeights(l),
      multiply, std::move(finish)};
  Step active = l.kind == LayerKind::kDense ? dense_step(std::move(product), find, x, y)
                                            : conv2d_step(std::move(product), find, f, x, y);
  if (!otherwise) return active;
  const std::int64_t inputs = x.shape.elements(),
                     enough = static_cast<std::int64_t>(most * static_cast<double>(inputs));
  return [=, active = std::move(active), otherwise = std::move(otherwise)] {
    (count_active(x.levels(), inputs) <= enough ? active : otherwise)();
  };
}

}  // namespace espalier::runtime::sparse
