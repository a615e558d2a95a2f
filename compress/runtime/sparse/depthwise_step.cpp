// A depthwise convolution, an output row at a time: its columns first, then their products.
#include <array>
#include <cstring>

#include "compress/runtime/sparse/depthwise.hpp"
#include "compress/runtime/sparse/steps.hpp"

namespace espalier::runtime::sparse {
namespace {

using format::PackedLayer;

bool is_depthwise(const PackedLayer& l) {
  return l.kind == format::LayerKind::kDepthwiseConv2d;
}

// Four rows into a line of columns.
void side_by_side(const std::array<const std::uint8_t*, kColumn>& rows, std::int64_t bytes,
                  std::uint8_t* columns) {
  const auto [a, b, c, d] = rows;
  for (std::int64_t i = 0; i < bytes; ++i) {
    columns[4 * i] = a[i], columns[4 * i + 1] = b[i];
    columns[4 * i + 2] = c[i], columns[4 * i + 3] = d[i];
  }
}

Work depthwise_work(const Fused& f, const Shape& x) {
  const kernels::Window v = window_of(*f.linear);
  const std::int64_t registers = DepthwiseWeights::count(*f.linear),
                     outputs = x[0] * v.out_h(x[1]) * v.out_w(x[2]);
  const ColumnLines columns = column_lines(*f.linear, x);
  const std::int64_t read = registers * DepthwiseWeights::kBytes + columns.lines * columns.bytes,
                     others = x[2] * x[3] + v.out_w(x[2]) * std::int64_t{sizeof(std::int64_t)};
  return {
      .macs = registers * DepthwiseWeights::kBytes * outputs, .bytes = read, .made = read + others};
}

Step depthwise_step(const Fused& f, const Activation& x, const Activation& y) {
  const PackedLayer& l = *f.linear;
  const kernels::Window v = window_of(l);
  const std::int64_t height = x.shape[1], row = x.shape[2] * x.shape[3], out_h = v.out_h(height),
                     out_w = v.out_w(x.shape[2]);
  const ColumnLines columns = column_lines(l, x.shape);
  const auto filled = [&](std::int64_t bytes) {
    Tensor t({bytes}, DType::kUint8);
    std::memset(t.mutable_data<std::uint8_t>(), x.grid.zero_point, static_cast<std::size_t>(bytes));
    return t;
  };
  // What the border of the columns holds, and what stands for rows above and below the image.
  Tensor lines = filled(columns.lines * columns.bytes + Activation::kSlack), outside = filled(row);
  std::vector<std::int64_t> starts;
  for (std::int64_t q = 0; q < out_w; ++q) starts.push_back(q * v.stride_w * x.shape[3] * kColumn);
  return [=, lines = std::move(lines), outside = std::move(outside), starts = std::move(starts),
          weights = DepthwiseWeights(l, x.shape), finish = finish_of(l, x.grid, f.norm),
          multiply = depthwise_kernel(vector_isa())]() mutable {
    std::uint8_t* line = lines.mutable_data<std::uint8_t>();
    const std::int64_t out_bytes =
        out_w * finish.channels * (finish.levels ? 1 : std::int64_t{sizeof(float)});
    for (std::int64_t n = 0; n < x.shape[0]; ++n)
      for (std::int64_t p = 0; p < out_h; ++p) {
        for (std::int64_t i = 0; i < columns.lines; ++i) {
          std::array<const std::uint8_t*, kColumn> rows;
          for (std::int64_t k = 0; k < kColumn; ++k) {
            const std::int64_t tap = i * kColumn + k, h = p * v.stride_h - v.pad_top + tap;
            const bool inside = tap < v.kernel_h && 0 <= h && h < height;
            rows[static_cast<std::size_t>(k)] =
                inside ? x.levels() + (n * height + h) * row : outside.data<std::uint8_t>();
          }
          side_by_side(rows, row, line + i * columns.bytes + v.pad_left * x.shape[3] * kColumn);
        }
        for (std::int64_t g = 0; g < finish.groups(); ++g)
          multiply(weights.group(g),
                   Tiles{.x = line + g * kLanes * kColumn,
                         .starts = starts,
                         .pool = 1,
                         .finish = finish,
                         .channel = g * kLanes,
                         .y = static_cast<std::uint8_t*>(y.data) + (n * out_h + p) * out_bytes});
      }
  };
}

}  // namespace

const Kernel kDepthwise{"depthwise", is_depthwise, depthwise_work, depthwise_step};

}  // namespace espalier::runtime::sparse
