#include "compress/runtime/sparse/steps.hpp"

#include <cstring>

#include "compress/format/wiring.hpp"
#include "compress/runtime/linear_parts.hpp"
#include "compress/runtime/sparse/blocks.hpp"
#include "compress/runtime/sparse/rows.hpp"
#include "compress/runtime/sparse/scattered.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::LayerKind;
using format::PackedLayer;

Shape padded(const PackedLayer& l, const Shape& x) {
  return padded_shape(l, x[0], {x[1], x[2], x[3]});
}

// `multiply(group, tiles)` for every group of channels and every image: a group's weights stay in the
// cache while the images pass.
template <class Weights, class Multiply>
Step step_of(const Fused& f, const Activation& x, const Activation& y, Weights weights,
             Multiply multiply) {
  const Shape to = padded(*f.linear, x.shape);
  const bool copies = pads(*f.linear);
  // The border is written here, once.
  Tensor border;
  if (copies) {
    border = Tensor({to.elements() + Activation::kSlack}, DType::kUint8);
    std::memset(border.mutable_data<std::uint8_t>(), x.grid.zero_point,
                static_cast<std::size_t>(border.elements()));
  }
  std::uint8_t* from = copies ? border.mutable_data<std::uint8_t>() : x.levels();
  return
      [=, layer = f.linear, border = std::move(border), weights = std::move(weights),
       windows = windows_of(*f.linear, to, f.pool), finish = finish_of(*f.linear, x.grid, f.norm)] {
        if (copies) copy_inside(x.levels(), x.shape, *layer, from, to);
        const std::int64_t image_bytes =
            windows.outputs() * finish.channels * (finish.levels ? 1 : std::int64_t{sizeof(float)});
        for (std::int64_t g = 0; g < finish.groups(); ++g)
          for (std::int64_t n = 0; n < windows.images; ++n)
            multiply(weights.group(g),
                     Tiles{.x = from + n * windows.image_bytes,
                           .starts = windows.starts,
                           .pool = windows.pool,
                           .finish = finish,
                           .channel = g * kLanes,
                           .y = static_cast<std::uint8_t*>(y.data) + n * image_bytes});
      };
}

// `count` registers of 64 products of weights, `bytes` each, for every window.
Work work_of(const Fused& f, const Shape& x, std::int64_t count, std::int64_t bytes) {
  const std::int64_t windows = windows_per_image(*f.linear, padded(*f.linear, x), f.pool),
                     images = f.linear->kind == LayerKind::kDense ? 1 : x[0];
  const std::int64_t read = count * bytes + windows * std::int64_t{sizeof(std::int64_t)},
                     border = pads(*f.linear) ? padded(*f.linear, x).elements() : 0;
  return {.macs = count * 64 * windows * images, .bytes = read, .made = read + border};
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
const Kernel kRows{"rows", is_dense, row_work, row_step};

}  // namespace espalier::runtime::sparse
