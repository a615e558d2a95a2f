#include "compress/runtime/sparse/steps.hpp"

#include <cstring>

#include "compress/format/wiring.hpp"
#include "compress/runtime/sparse/blocks.hpp"
#include "compress/runtime/sparse/lit.hpp"
#include "compress/runtime/sparse/padded.hpp"
#include "compress/runtime/sparse/rows.hpp"
#include "compress/runtime/sparse/scattered.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::LayerKind;
using format::PackedLayer;

Shape padded(const PackedLayer& l, const Shape& x) {
  return padded_shape(l, x[0], {x[1], x[2], x[3]});
}

std::int64_t image_bytes(const Windows& windows, const Finish& finish) {
  return windows.outputs() * finish.channels * (finish.levels ? 1 : std::int64_t{sizeof(float)});
}

// A picture may have a background; what a convolution yields has none that is all 0.
bool may_be_dark(const Fused& f, const Shape& x) {
  return f.linear->kind == LayerKind::kConv2d && x[3] <= 4;
}

// `multiply(group, tiles)` for every image and group of channels, but for windows of background: what
// they yield is written down beforehand.
template <class Weights, class Multiply>
Step lit_step_of(const Fused& f, const Activation& x, const Activation& y, Weights weights,
                 Multiply multiply) {
  const Shape to = padded(*f.linear, x.shape);
  const Windows windows = windows_of(*f.linear, to, f.pool);
  const Finish finish = finish_of(*f.linear, x.grid, f.norm);
  const std::int64_t bytes = image_bytes(windows, finish);
  const Tensor dark = filled(windows.image_bytes, x.grid.zero_point);
  Tensor background = Tensor::uninitialized({bytes}, DType::kUint8);
  for (std::int64_t g = 0; g < finish.groups(); ++g)
    multiply(weights.group(g), Tiles{.x = dark.data<std::uint8_t>(),
                                     .starts = windows.starts,
                                     .pool = windows.pool,
                                     .finish = finish,
                                     .channel = g * kLanes,
                                     .y = background.mutable_data<std::uint8_t>()});
  return [=, weights = std::move(weights), input = Padded(*f.linear, x),
          background = std::move(background),
          lit = LitWindows(*f.linear, to, f.pool, x.grid.zero_point), pool = windows.pool,
          images = windows.images, x_bytes = windows.image_bytes]() mutable {
    const std::uint8_t* from = input.images();
    for (std::int64_t n = 0; n < images; ++n) {
      std::uint8_t* image = static_cast<std::uint8_t*>(y.data) + n * bytes;
      lit.find(from + n * x_bytes);
      if (!lit.all())
        std::memcpy(image, background.data<std::uint8_t>(), static_cast<std::size_t>(bytes));
      for (std::int64_t g = 0; g < finish.groups(); ++g)
        multiply(weights.group(g),
                 Tiles{.x = from + n * x_bytes,
                       .starts = lit.starts(),
                       .pool = pool,
                       .finish = finish,
                       .channel = g * kLanes,
                       .y = image,
                       .outputs = lit.all() ? std::span<const std::int32_t>() : lit.outputs()});
    }
  };
}

// `multiply(group, tiles)` for every group of channels and every image: a group's weights stay in the
// cache while the images pass.
template <class Weights, class Multiply>
Step step_of(const Fused& f, const Activation& x, const Activation& y, Weights weights,
             Multiply multiply) {
  if (may_be_dark(f, x.shape)) return lit_step_of(f, x, y, std::move(weights), multiply);
  return [=, weights = std::move(weights), input = Padded(*f.linear, x),
          windows = windows_of(*f.linear, padded(*f.linear, x.shape), f.pool),
          finish = finish_of(*f.linear, x.grid, f.norm)] {
    const std::uint8_t* from = input.images();
    for (std::int64_t g = 0; g < finish.groups(); ++g)
      for (std::int64_t n = 0; n < windows.images; ++n)
        multiply(weights.group(g),
                 Tiles{.x = from + n * windows.image_bytes,
                       .starts = windows.starts,
                       .pool = windows.pool,
                       .finish = finish,
                       .channel = g * kLanes,
                       .y = static_cast<std::uint8_t*>(y.data) + n * image_bytes(windows, finish)});
  };
}

// `count` registers of 64 products of weights, `bytes` each, for every window.
Work work_of(const Fused& f, const Shape& x, std::int64_t count, std::int64_t bytes) {
  const std::int64_t windows = windows_per_image(*f.linear, padded(*f.linear, x), f.pool),
                     images = f.linear->kind == LayerKind::kDense ? 1 : x[0];
  const std::int64_t read = count * bytes + windows * std::int64_t{sizeof(std::int64_t)},
                     border = pads(*f.linear) ? padded(*f.linear, x).elements() : 0,
                     lit = may_be_dark(f, x)
                               ? LitWindows::bytes(*f.linear, padded(*f.linear, x), f.pool)
                               : 0;
  return {.macs = count * 64 * windows * images, .bytes = read, .made = read + border + lit};
}

Work block_work(const Fused& f, const Shape& x) {
  const WindowRows rows = window_rows(*f.linear, padded(*f.linear, x));
  return work_of(f, x, Blocks::count(*f.linear, rows), Blocks::kBytes);
}

Step block_step(const Fused& f, const Activation& x, const Activation& y) {
  return step_of(f, x, y, Blocks(*f.linear, window_rows(*f.linear, padded(*f.linear, x.shape))),
                 block_kernel(vector_isa()));
}

Work scattered_work(const Fused& f, const Shape& x) {
  const WindowRows rows = window_rows(*f.linear, padded(*f.linear, x));
  return work_of(f, x, Scattered::count(*f.linear, rows), 2 * Scattered::kSlots);
}

Step scattered_step(const Fused& f, const Activation& x, const Activation& y) {
  return step_of(f, x, y, Scattered(*f.linear, window_rows(*f.linear, padded(*f.linear, x.shape))),
                 scattered_kernel(vector_isa()));
}

Work row_work(const Fused& f, const Shape& x) {
  const auto& shape = f.linear->weight.shape;
  const std::int64_t registers = (shape[1] + 63) / 64, images = x[0],
                     outputs = (shape[0] + kLanes - 1) / kLanes * kLanes;
  const std::int64_t made = images * std::int64_t{sizeof(std::int64_t)};
  return {
      .macs = outputs * registers * 64 * images, .bytes = shape[0] * shape[1] + made, .made = made};
}

Step row_step(const Fused& f, const Activation& x, const Activation& y) {
  return step_of(f, x, y, Rows(*f.linear), row_kernel(vector_isa()));
}

bool is_dense(const PackedLayer& l) {
  return l.kind == LayerKind::kDense;
}
bool is_product(const PackedLayer& l) {  // each output of all inputs
  return l.kind != LayerKind::kDepthwiseConv2d;
}

}  // namespace

Fused fused_from(const format::PackedModel& model, std::size_t first) {
  const auto& layers = model.layers;
  const auto kept = format::kept_stages(model);
  Fused f{.linear = &layers[first]};
  std::size_t next = first + 1;
  const auto joins = [&] { return next < layers.size() && layers[next].from == 1 && !kept[next]; };
  if (f.linear->output.is_float()) return f;
  if (f.linear->kind == LayerKind::kConv2d && joins() && pools_with(layers[next]))
    f.pool = &layers[next++];
  if (joins() && layers[next].kind == LayerKind::kBatchNorm && !layers[next].output.is_float())
    f.norm = &layers[next];
  return f;
}

const Kernel kBlocks{"blocks", is_product, block_work, block_step};
const Kernel kScattered{"scattered", is_product, scattered_work, scattered_step};
const Kernel kRows{"rows", is_dense, row_work, row_step, true};

}  // namespace espalier::runtime::sparse
