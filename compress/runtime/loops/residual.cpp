// Sums of two stages. x and y may share their memory.
#include <vector>

#include "compress/runtime/loops/floats.hpp"
#include "compress/runtime/loops/levels.hpp"
#include "compress/runtime/loops/steps.hpp"

namespace espalier::runtime::loops {

Step residual_levels(const format::PackedLayer& l, const Activation& x, const Activation& other,
                     const Activation& y) {
  return [x, other, y, of_x = x.grid.scale / y.grid.scale,
          of_other = other.grid.scale / y.grid.scale, lowest = l.relu ? y.grid.zero_point : 0] {
    add_levels({x.levels(), x.grid.zero_point, of_x},
               {other.levels(), other.grid.zero_point, of_other}, y.shape.elements(),
               y.grid.zero_point, lowest, y.levels());
  };
}

Step residual(const format::PackedLayer& l, const Activation& x, const Activation& other,
              const Activation& y) {
  const auto channels = static_cast<std::size_t>(y.shape[3]);
  return [x, other, y, relu = l.relu, row = std::vector<float>(channels),
          more = std::vector<float>(channels)]() mutable {
    for (std::int64_t at = 0; at < y.shape.elements(); at += y.shape[3]) {
      read_floats(x, at, row);
      read_floats(other, at, more);
      for (std::size_t c = 0; c < row.size(); ++c) {
        const float sum = row[c] + more[c];
        row[c] = relu ? std::max(sum, 0.0f) : sum;
      }
      write_floats(row, y, at);
    }
  };
}

}  // namespace espalier::runtime::loops
