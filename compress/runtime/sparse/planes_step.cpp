// A convolution by planes: the image plane by plane, a channel's sums at all positions, their maximum over pooling
// windows as levels, and the channels side by side again.
#include "compress/runtime/sparse/padded.hpp"
#include "compress/runtime/sparse/planes.hpp"
#include "compress/runtime/sparse/steps.hpp"
#include "compress/runtime/sparse/transpose.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::PackedLayer;

bool has_planes(const PackedLayer& l) {
  return l.kind == format::LayerKind::kConv2d && l.stride_h == 1 && l.stride_w == 1 &&
         !l.output.is_float();
}

PlanePool pool_of(const Fused& f, const Planes& p) {
  const kernels::Window w = f.pool ? window_of(*f.pool) : kernels::Window{};
  return {.row = p.width,
          .out_h = w.out_h(p.out_h),
          .out_w = w.out_w(p.out_w),
          .height = w.kernel_h,
          .width = w.kernel_w,
          .stride_h = w.stride_h,
          .stride_w = w.stride_w};
}

// An image in planes, whose border is written once.
class PlanarImage {
 public:
  PlanarImage(const Planes& planes, const Activation& x)
      : planes_(planes), x_(x), bytes_(filled(planes.bytes(), x.grid.zero_point)) {}

  const std::uint8_t* load(std::int64_t image) {
    const Planes& p = planes_;
    const std::int64_t height = x_.shape[1], width = x_.shape[2], row = width * p.channels;
    const std::uint8_t* from = x_.levels() + image * height * row;
    std::uint8_t* to = bytes_.mutable_data<std::uint8_t>() + p.top * p.width + p.left;
    for (std::int64_t h = 0; h < height; ++h, from += row, to += p.width)
      transpose_bytes(from, width, p.channels, p.channels, to, p.plane());
    return bytes_.data<std::uint8_t>();
  }

 private:
  Planes planes_;
  Activation x_;
  Tensor bytes_;
};

Work plane_work(const Fused& f, const Shape& x) {
  const Planes p = planes_of(*f.linear, x);
  const PlanePool pool = pool_of(f, p);
  const std::int64_t taps = PlaneWeights::count(*f.linear), channels = f.linear->weight.shape[0],
                     read = taps * PlaneWeights::kBytes + 24 * channels,
                     others = p.bytes() + 4 * p.positions() + channels * pool.out_h * pool.out_w;
  return {.macs = taps * p.positions() * x[0], .bytes = read, .made = read + others};
}

Step plane_step(const Fused& f, const Activation& x, const Activation& y) {
  const PackedLayer& l = *f.linear;
  const Planes p = planes_of(l, x.shape);
  const PlanePool pool = pool_of(f, p);
  const Finish finish = finish_of(l, x.grid, f.norm);
  const std::int64_t outputs = pool.out_h * pool.out_w;
  return [=, image = PlanarImage(p, x), weights = PlaneWeights(l, p),
          kernels = plane_kernels(vector_isa()),
          sums = std::vector<std::int32_t>(static_cast<std::size_t>(p.positions() + kPositions)),
          levels = std::vector<std::uint8_t>(
              static_cast<std::size_t>(finish.channels * outputs + kPositions))]() mutable {
    for (std::int64_t n = 0; n < x.shape[0]; ++n) {
      const std::uint8_t* planes = image.load(n);
      for (std::int64_t c = 0; c < finish.channels; ++c) {
        kernels.multiply(planes, weights.taps(c), p.positions(), sums.data());
        kernels.finish(sums.data(), pool, finish, static_cast<std::size_t>(c),
                       levels.data() + c * outputs);
      }
      transpose_bytes(levels.data(), finish.channels, outputs, outputs,
                      static_cast<std::uint8_t*>(y.data) + n * outputs * finish.channels,
                      finish.channels);
    }
  };
}

}  // namespace

const Kernel kPlanes{"planes", has_planes, plane_work, plane_step};

}  // namespace espalier::runtime::sparse
